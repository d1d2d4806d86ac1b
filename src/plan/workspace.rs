//! Memory that decode workers work in. The sizes of the images decide, so a part of them is looked at.
//!
//! An image that takes more than what is counted for a worker is decoded while no other such is (`Options::large`), so that
//! all workers together have no more than one of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use crate::dataset::Dataset;
use crate::stages::decode::{Decoder, Options, Raw};

/// Images whose headers are read.
const LOOKED_AT: usize = 256;

/// So long they are looked at, and no longer: a plan does not wait for slow disks, nor for a file that never answers, which
/// the run's own watch will find out.
const LIMIT: Duration = Duration::from_secs(2);

/// Bytes that one decode worker holds at the largest image of `data` (of those looked at): its file, twice where a part of it is
/// put together anew, and what decoding it whole takes.
pub fn of_one_decoder(data: &Arc<Dataset>) -> u64 {
    let files = (0..data.len()).map(|i| data.bytes(i)).max().unwrap_or(0);
    let largest = Arc::new(AtomicU64::new(0));
    let (tx, rx) = sync_channel(1);
    let look = {
        let (data, largest) = (Arc::clone(data), Arc::clone(&largest));
        move || {
            look_at(&data, &largest);
            // Nobody listens any more where it took too long.
            let _ = tx.send(());
        }
    };
    // Without the thread, as after the limit, what was seen so far has to do.
    if thread::Builder::new().name("headers".to_string()).spawn(look).is_ok() {
        let _ = rx.recv_timeout(LIMIT);
    }
    files.saturating_mul(2).saturating_add(largest.load(Ordering::Relaxed))
}

/// Keeps the bytes that the largest image takes in `largest`.
fn look_at(data: &Dataset, largest: &AtomicU64) {
    let Ok(mut decoder) = Decoder::new(Options::default()) else {
        return;
    };
    let mut scratch = Vec::new();
    for i in (0..data.len()).step_by(data.len().div_ceil(LOOKED_AT)) {
        // Pixels that are read in place need no memory.
        if !matches!(Raw::find(data, i), Ok(None)) {
            continue;
        }
        // What cannot be read needs none either; the run will say what is wrong.
        let Ok(encoded) = data.read(i, &mut scratch) else {
            continue;
        };
        if let Ok(bytes) = decoder.takes(encoded) {
            largest.fetch_max(bytes, Ordering::Relaxed);
        }
    }
}
