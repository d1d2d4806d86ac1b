//! The rows of a slot are disjoint however they are split, and the slot comes back whole.

use pipeline::flow::{Rows, Slot};
use proptest::prelude::*;

const ROW_BYTES: usize = 16;

fn slot(rows: usize) -> Slot {
    Slot::new(rows, ROW_BYTES).expect("memory")
}

/// Splits rows into parts of the given lengths; the last part takes the rest.
fn split(lease: Rows, lengths: &[usize]) -> Vec<Rows> {
    let mut parts = Vec::new();
    let mut left = Some(lease);
    for length in lengths.iter().copied().chain([usize::MAX]) {
        let Some(rows) = left else { break };
        let count = length.min(rows.range().len());
        let (part, rest) = rows.split(count);
        parts.push(part);
        left = rest;
    }
    parts
}

proptest! {
    #[test]
    fn rows_are_disjoint_and_the_slot_comes_back_whole(
        rows in 1usize..40,
        spare in 0usize..3,
        lengths in prop::collection::vec(1usize..6, 0..20),
        order in any::<u64>(),
    ) {
        let (mut lent, lease) = slot(rows + spare).lend(rows);
        let mut parts = split(lease, &lengths);
        let mut covered: Vec<usize> = parts.iter().flat_map(Rows::range).collect();
        covered.sort_unstable();
        prop_assert!(covered.iter().copied().eq(0..rows), "{covered:?}");
        // The parts return in any order, each written by its own thread.
        parts.sort_by_key(|part| (part.range().start as u64).wrapping_mul(order | 1));
        let written: Vec<_> = parts
            .into_iter()
            .map(|mut part| std::thread::spawn(move || {
                for i in 0..part.range().len() {
                    let row = (part.range().start + i) as u8;
                    part.row_mut(i).fill(row + 1);
                }
                part
            }))
            .collect();
        for part in written {
            prop_assert!(!lent.is_whole());
            lent.take_back(part.join().expect("no panic"));
        }
        let Ok(slot) = lent.into_slot() else { return Err(TestCaseError::fail("rows are missing")) };
        for (row, bytes) in slot.bytes(rows).chunks_exact(ROW_BYTES).enumerate() {
            prop_assert!(bytes.iter().all(|&byte| byte == row as u8 + 1), "row {row}: {bytes:?}");
        }
    }
}

#[test]
fn a_slot_does_not_come_back_while_a_row_is_away() {
    let (mut lent, lease) = slot(2).lend(2);
    let (first, rest) = lease.split(1);
    lent.take_back(first);
    let Err(mut lent) = lent.into_slot() else {
        panic!("a row is away")
    };
    lent.take_back(rest.expect("the second row"));
    assert!(lent.into_slot().is_ok());
}

#[test]
fn a_slot_that_there_is_no_memory_for_is_an_error() {
    for rows in [1 << 56, usize::MAX / ROW_BYTES, usize::MAX] {
        let error = Slot::new(rows, ROW_BYTES).map(|_| ()).expect_err("no memory");
        assert!(error.to_string().starts_with("could not allocate "), "{error}");
    }
}

#[test]
#[should_panic(expected = "rows of another slot")]
fn rows_of_another_slot_are_refused() {
    let (mut lent, _own) = slot(1).lend(1);
    let (_other, foreign) = slot(1).lend(1);
    lent.take_back(foreign);
}
