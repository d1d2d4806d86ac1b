//! Looks at some of the images before the run begins: how much memory decode workers need, and whether the crop fits.
//!
//! An image may need more than is counted for a worker. Such images are decoded one at a time (`Options::large`), so that
//! all workers together hold at most one of them.

use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::dataset::Dataset;
use crate::stages::decode::{Decoder, Frame, Options, Raw};

/// Images whose headers are read.
const LOOKED_AT: usize = 256;

/// The longest time for this. A plan does not wait for slow disks, nor for a file that never answers; the run's own watch
/// will find that.
const LIMIT: Duration = Duration::from_secs(2);

/// The bytes that one decode worker holds for the largest of the images looked at in `data`: its file (twice if a part of
/// it is rebuilt), and the memory for decoding it whole.
pub fn of_one_decoder(data: &Arc<Dataset>) -> u64 {
    look(data, 0).bytes
}

/// The facts known about a data set's images.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    /// The bytes that one decode worker holds for the largest of them.
    pub(super) bytes: u64,
    /// The number of images whose header could be read.
    pub(super) looked_at: u32,
    /// The number of images with a side shorter than required, as they are stored.
    pub(super) small: u32,
    /// The first such image, and its size.
    pub(super) first_small: Option<(usize, Frame)>,
}

impl Seen {
    /// The least number of small images to expect among `all`. Of a sample, three standard deviations less than in proportion.
    pub(super) fn small_among(&self, all: usize) -> u32 {
        let small = f64::from(self.small);
        let certain = (small - 3.0 * small.sqrt()) * all as f64 / f64::from(self.looked_at.max(1));
        self.small.max(certain as u32)
    }
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
            // If this took too long, nobody listens any more.
            let _ = tx.send(());
        }
    };
    // Without the thread, or after the limit, the facts gathered so far must do.
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
            // An image that cannot be read needs no memory either. The run will report the fault.
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
        seen.looked_at += 1;
        seen.bytes = seen.bytes.max(bytes);
        if frame.width.min(frame.height) < side {
            seen.small += 1;
            seen.first_small = seen.first_small.or(Some((i, frame)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_stands_for_the_whole_set_with_a_margin() {
        let seen = |small| Seen {
            looked_at: 250,
            small,
            ..Seen::default()
        };
        assert_eq!(seen(0).small_among(1_000_000), 0);
        assert_eq!(
            seen(1).small_among(1_000_000),
            1,
            "one image proves nothing about the rest"
        );
        assert_eq!(seen(100).small_among(250), 100);
        assert_eq!(seen(100).small_among(250_000), 70_000);
    }
}
