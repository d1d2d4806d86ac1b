//! staging: assembles rows into whole batches and sends them in order.
//! upstream: augment's receipts, and the source's opened batches · downstream: compute
//!
//! Invariant: batches are sent in the order of their serial numbers, each once, with all rows returned.

use std::collections::VecDeque;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use crate::flow::{Fault, Inlet, Lent, Outlet, Stop};
use crate::stages::messages::{Batch, Header, Opened, Phase, Receipt, Receipts, RowFact};

/// A batch being assembled.
struct Assembly {
    header: Header,
    lent: Lent,
    facts: Vec<RowFact>,
}

/// Collects receipts until the end of data. `stream` is the rolling hash of all training rows before.
pub fn run(
    mut stream: u64,
    receipts: &Inlet<Receipts>,
    opened: &Inlet<Opened>,
    batches: Outlet<Batch>,
    stop: &Stop,
) -> Result<(), Fault> {
    let mut open: VecDeque<Assembly> = VecDeque::new();
    while let Some(group) = receipts.next()? {
        for receipt in group {
            home(receipt, &mut open, opened)?;
        }
        while let Some(whole) = open.pop_front_if(|assembly| assembly.lent.is_whole()) {
            let span = tracing::trace_span!("staging", batch = whole.header.serial);
            let _entered = span.enter();
            batches.send(hand_on(whole, &mut stream)?)?;
        }
    }
    if open.is_empty() || stop.is_requested() {
        batches.finish();
        return Ok(());
    }
    Err(Fault::Aborted)
}

/// Returns a row to its batch.
fn home(receipt: Receipt, open: &mut VecDeque<Assembly>, opened: &Inlet<Opened>) -> Result<(), Fault> {
    // The source opens a batch before it issues the batch's first ticket, so this ends.
    while open.back().is_none_or(|newest| newest.header.serial < receipt.serial) {
        let Some(Opened { header, lent }) = opened.next()? else {
            return Err(Fault::Aborted);
        };
        open.push_back(Assembly {
            header,
            lent,
            facts: vec![RowFact::default(); header.rows as usize],
        });
    }
    let oldest = open[0].header.serial;
    let assembly = &mut open[(receipt.serial - oldest) as usize];
    assembly.facts[receipt.rows.range().start] = receipt.fact;
    assembly.lent.take_back(receipt.rows);
    Ok(())
}

fn hand_on(whole: Assembly, stream: &mut u64) -> Result<Batch, Fault> {
    let Assembly { header, lent, facts } = whole;
    if header.position.phase == Phase::Train {
        *stream = fold(*stream, &facts);
    }
    let slot = lent.into_slot().map_err(|_| Fault::Aborted)?;
    Ok(Batch {
        header,
        slot: Arc::new(slot),
        facts,
        stream: *stream,
    })
}

/// The rolling hash after the rows of a batch.
fn fold(stream: u64, facts: &[RowFact]) -> u64 {
    facts.iter().fold(stream, |hash, fact| {
        let mut pair = [0; 16];
        pair[..8].copy_from_slice(&hash.to_le_bytes());
        pair[8..].copy_from_slice(&fact.stream.to_le_bytes());
        xxh3_64(&pair)
    })
}
