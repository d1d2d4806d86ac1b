//! What the images themselves say before the run begins: memory that decode workers work in, and whether the crop fits. A part
//! of the images is looked at.
//!
//! An image that takes more than what is counted for a worker is decoded while no other such is (`Options::large`), so that
//! all workers together have no more than one of them.

use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::dataset::Dataset;
use crate::stages::decode::{Decoder, Frame, Options, Raw};

/// Images whose headers are read.
const LOOKED_AT: usize = 256;

/// So long they are looked at, and no longer: a plan does not wait for slow disks, nor for a file that never answers, which
/// the run's own watch will find out.
const LIMIT: Duration = Duration::from_secs(2);

/// Bytes that one decode worker holds at the largest image of `data` (of those looked at): its file, twice where a part of it is
/// put together anew, and what decoding it whole takes.
pub fn of_one_decoder(data: &Arc<Dataset>) -> u64 {
    look(data, 0).bytes
}

/// What is known of a data set's images.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    /// Bytes that one decode worker holds at the largest of them.
    pub(super) bytes: u64,
    /// How many have a side shorter than the one asked for, as they are stored.
    pub(super) small: u32,
    /// The first of these, and its size.
    pub(super) first_small: Option<(usize, Frame)>,
}

/// Looks at some images of `data`, and counts those with a side shorter than `side`.
pub(super) fn look(data: &Arc<Dataset>, side: u32) -> Seen {
    let files = (0..data.len()).map(|i| data.bytes(i)).max().unwrap_or(0);
    let seen = Arc::new(Mutex::new(Seen::default()));
    let (tx, rx) = sync_channel(1);
    let look = {
        let (data, seen) = (Arc::clone(data), Arc::clone(&seen));
        move || {
            look_at(&data, side, &seen);
            // Nobody listens any more where it took too long.
            let _ = tx.send(());
        }
    };
    // Without the thread, as after the limit, what was seen so far has to do.
    if thread::Builder::new().name("headers".to_string()).spawn(look).is_ok() {
        let _ = rx.recv_timeout(LIMIT);
    }
    let seen = *seen.lock().unwrap_or_else(PoisonError::into_inner);
    Seen {
        bytes: files.saturating_mul(2).saturating_add(seen.bytes),
        ..seen
    }
}

fn look_at(data: &Dataset, side: u32, seen: &Mutex<Seen>) {
    let Ok(mut decoder) = Decoder::new(Options::default()) else {
        return;
    };
    let mut scratch = Vec::new();
    for i in (0..data.len()).step_by(data.len().div_ceil(LOOKED_AT)) {
        let (bytes, frame) = match Raw::find(data, i) {
            // Pixels that are read in place need no memory.
            Ok(Some(raw)) => (0, raw.frame()),
            // What cannot be read needs none either; the run will say what is wrong.
            Err(_) => continue,
            Ok(None) => {
                let Ok(encoded) = data.read(i, &mut scratch) else {
                    continue;
                };
                match decoder.takes(encoded) {
                    Ok(taken) => taken,
                    Err(_) => continue,
                }
            }
        };
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.bytes = seen.bytes.max(bytes);
        if frame.width.min(frame.height) < side {
            seen.small += 1;
            seen.first_small = seen.first_small.or(Some((i, frame)));
        }
    }
}
