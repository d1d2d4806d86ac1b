//! A sample keeps its random numbers when others are left out of the pack.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;

use pipeline::dataset::Dataset;
use pipeline::flow::{Slot, channel};
use pipeline::stages::{Phase, Ticket, augment, decode};

use crate::given::Given;
use crate::pack;
use crate::process::run;

/// The hash of everything that made each sample's row in the third epoch, by the sample's id.
fn streams(given: &Given, sets: &[&str]) -> BTreeMap<String, u64> {
    let plan = given.plan(sets);
    let rule = plan.rule(None);
    let count = plan.sets.train.len();
    let room = NonZeroUsize::new(count).unwrap();
    let (tickets, tickets_in) = channel("ticket", room);
    let (spare, pool) = channel("buffer", room);
    let (pixels, pixels_in) = channel("pixels", room);
    let (receipts, receipts_in) = channel("receipt", room);
    let slot = Slot::new(count, plan.writer.row_bytes()).expect("memory");
    let (_lent, rows) = slot.lend(count);
    let mut left = Some(rows);
    for sample in 0..count as u32 {
        let (rows, rest) = left.take().unwrap().split(1);
        left = rest;
        spare.send(Vec::new()).unwrap();
        let (serial, phase, epoch, first_view) = (0, Phase::Train, 3, 0);
        tickets
            .send(Ticket {
                serial,
                phase,
                epoch,
                sample,
                first_view,
                is_padding: false,
                rows,
            })
            .unwrap();
    }
    tickets.finish();
    decode::run(&plan.decode(rule.clone()), &tickets_in, &pool, pixels).unwrap();
    augment::run(&plan.augment(rule, None).unwrap(), &pixels_in, receipts, spare).unwrap();
    let mut found = BTreeMap::new();
    while let Some(group) = receipts_in.next().unwrap() {
        for receipt in group {
            if receipt.fact.refused.is_none() {
                let id = plan.sets.train.id(receipt.fact.sample as usize).to_string();
                found.insert(id, receipt.fact.stream);
            }
        }
    }
    found
}

#[test]
fn skipped_samples_leave_holes_and_move_no_others() {
    let given = Given::new(10, 3);
    fs::write(given.path("train/brick/003.jpg"), "no image").unwrap();
    let skip = ["--mode", "passthrough", "--on-bad-image", "skip"];
    pack(&given, "train", "packed", &skip).expect(0);
    let open = |name: &str| Dataset::open(given.path(name).to_str().unwrap()).unwrap();
    let (source, packed) = (open("train"), open("packed"));
    assert_eq!((source.len(), packed.len()), (30, 29));
    for i in 0..packed.len() {
        let canonical = packed.canonical(i) as usize;
        assert_eq!(canonical, if i < 3 { i } else { i + 1 });
        assert_eq!(packed.id(i).to_string(), source.id(canonical).to_string());
        assert_eq!(packed.label(i), source.label(canonical));
        assert!(packed.checksum(i).is_some());
    }
    let sets = ["run.hash_pixels=true", "run.on_bad_image=skip"];
    let from_pack = format!("data.train={}", given.path("packed").display());
    let found = streams(&given, &[&sets[..], &[&from_pack]].concat());
    assert_eq!(found.len(), 29);
    assert_eq!(found, streams(&given, &sets));
    run(&given, &["run.out=a", &from_pack]).expect(0);
}

/// Also for a pack of a pack: the second keeps the holes and checksums of the first.
#[test]
fn a_pack_of_a_pack_is_as_good_as_the_first() {
    let given = Given::new(10, 3);
    fs::write(given.path("train/brick/003.jpg"), "no image").unwrap();
    let skip = ["--mode", "raw", "--size", "40", "--on-bad-image", "skip"];
    pack(&given, "train", "first", &skip).expect(0);
    pack(
        &given,
        "first",
        "second",
        &["--mode", "passthrough", "--per-shard", "7", "--seed", "5"],
    )
    .expect(0);
    let from = |name: &str| format!("data.train={}", given.path(name).display());
    let (first, second) = (
        streams(&given, &["run.hash_pixels=true", &from("first")]),
        streams(&given, &["run.hash_pixels=true", &from("second")]),
    );
    assert_eq!(first, second);
    assert_eq!(
        first,
        streams(&given, &["run.hash_pixels=true", "run.on_bad_image=skip"])
    );
}
