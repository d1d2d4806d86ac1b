//! `pipeline inspect X --verify`: reads all of a data set and lists everything that is bad.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::{panic, thread};

use super::Failure;
use crate::dataset::pack::{self, MANIFEST, Manifest};
use crate::dataset::{Dataset, Encoded};
use crate::observe::images::ImagesProgress;
use crate::observe::terminal::answer;
use crate::plan;
use crate::stages::decode::{Decoder, Options, Region};
use crate::text::{self, plain};

/// The most faults of a pack that are listed.
const MOST_FAULTS: usize = 20;

/// Verifies the data set at `location`: a pack byte by byte, any other set by decoding each image.
pub(super) fn main(location: &str, quiet: bool) -> Result<(), Failure> {
    // A damaged pack may not open at all, but here all damage is to be listed.
    let folder = Path::new(location);
    let manifest = folder.join(MANIFEST);
    let is_pack = manifest
        .try_exists()
        .map_err(|error| Failure::Failed(format!("{}: cannot be read: {error}", text::path(&manifest))))?;
    if is_pack {
        return bytes(folder, quiet);
    }
    images(&Dataset::open(location).map_err(Failure::failed)?, quiet)
}

/// Checks all of a pack against its hashes.
fn bytes(folder: &Path, quiet: bool) -> Result<(), Failure> {
    let manifest = Manifest::read(folder).map_err(Failure::failed)?;
    let progress = ImagesProgress::new(manifest.samples, "verify", 0, quiet);
    let found = pack::verify(folder, |samples| progress.add(samples)).map_err(Failure::failed)?;
    progress.end();
    let faults = found.faults.len();
    if faults == 0 {
        let (samples, shards) = (found.samples, manifest.shards.len());
        answer!(
            "pack {}: all {samples} samples in {} are as they were written",
            text::path(folder),
            text::counted(shards as u64, "shard")
        );
        return Ok(());
    }
    let mut text = found.faults[..faults.min(MOST_FAULTS)].join("\n");
    if faults > MOST_FAULTS {
        text += &format!("\nand {} more", faults - MOST_FAULTS);
    }
    Err(Failure::Failed(text))
}

/// Decodes every image on all cores, and lists the refused ones in the order of the data set.
fn images(data: &Dataset, quiet: bool) -> Result<(), Failure> {
    let progress = ImagesProgress::new(data.len() as u64, "verify", 0, quiet);
    let (next, has_failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let bad = Mutex::new(Vec::new());
    let work = || -> Result<(), Failure> {
        let mut reader = Reader::new()?;
        while !has_failed.load(Ordering::Relaxed) {
            let i = next.fetch_add(1, Ordering::Relaxed);
            if i >= data.len() {
                break;
            }
            if let Some(reason) = reader.refuses(data, i) {
                bad.lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner)
                    .push((i, reason));
            }
            progress.add(1);
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..plan::cores()).map(|_| scope.spawn(work)).collect();
        let ends = workers.into_iter().map(|worker| match worker.join() {
            Ok(Ok(())) => Ok(()),
            ended => {
                has_failed.store(true, Ordering::Relaxed);
                ended.unwrap_or_else(|payload| panic::resume_unwind(payload))
            }
        });
        // Waits for all workers before the first failure counts.
        ends.collect::<Vec<_>>().into_iter().collect::<Result<(), Failure>>()
    })
    .inspect_err(|_| progress.end())?;
    progress.end();
    let mut bad = bad.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    bad.sort_unstable();
    for (i, reason) in &bad {
        answer!("{}: {}", plain(&data.where_is(*i)), plain(reason));
    }
    let (all, count) = (data.len(), bad.len());
    if count == 0 {
        answer!("data set {}: all {all} images can be decoded", plain(data.location()));
        return Ok(());
    }
    Err(Failure::Failed(format!(
        "{}: {count} of {all} images cannot be decoded; delete or repair them, or train with --set run.on_bad_image=skip",
        plain(data.location())
    )))
}

/// The decoder and buffers of one worker.
struct Reader {
    decoder: Decoder,
    encoded: Vec<u8>,
    pixels: Vec<u8>,
}

impl Reader {
    fn new() -> Result<Self, Failure> {
        Ok(Self {
            decoder: Decoder::new(Options::default()).map_err(Failure::failed)?,
            encoded: Vec::new(),
            pixels: Vec::new(),
        })
    }

    /// Why sample `i` cannot be used; `None` if it can.
    fn refuses(&mut self, data: &Dataset, i: usize) -> Option<String> {
        let encoded = match data.read(i, &mut self.encoded) {
            Ok(encoded) => encoded,
            Err(error) => return Some(error.to_string()),
        };
        let decoded = decode(&mut self.decoder, encoded, &mut self.pixels);
        // A truncated mapped file reads as zeros. That error says more than the decoder's.
        data.verify(i).err().map(|error| error.to_string()).or(decoded.err())
    }
}

fn decode(decoder: &mut Decoder, encoded: Encoded<'_>, pixels: &mut Vec<u8>) -> Result<(), String> {
    let frame = decoder.open(encoded).map_err(|error| error.to_string())?;
    let whole = Region::whole(frame);
    pixels.resize(whole.bytes(), 0);
    decoder
        .pixels(encoded, whole, pixels)
        .map_err(|error| error.to_string())
}
