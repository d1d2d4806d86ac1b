//! `pipeline inspect X --verify`: reads all of a data set and lists everything that is bad.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::{panic, thread};

use super::{Failure, unreadable};
use crate::dataset::Dataset;
use crate::dataset::pack::{self, MANIFEST, Manifest};
use crate::files;
use crate::observe::images::ImagesProgress;
use crate::observe::terminal::answer;
use crate::plan;
use crate::stages::decode::{Decoder, Options};
use crate::text::{self, counted, plain};

/// Verifies the data set at `location`: compares a pack with its checksums and, if they match, decodes every image.
pub(super) fn main(location: &str, quiet: bool) -> Result<(), Failure> {
    // A damaged pack may not open at all, but here all damage is to be listed.
    let folder = Path::new(location);
    let manifest = folder.join(MANIFEST);
    if files::exists(&manifest).map_err(|error| unreadable(&manifest, &error))? {
        bytes(folder, quiet)?;
    }
    images(&Dataset::open(location).map_err(Failure::failed)?, quiet)
}

/// Checks all of a pack against its hashes.
fn bytes(folder: &Path, quiet: bool) -> Result<(), Failure> {
    let manifest = Manifest::read(folder).map_err(Failure::failed)?;
    let progress = ImagesProgress::new(manifest.samples, "verify", 0, quiet);
    let found = pack::verify(folder, |samples| progress.add(samples)).map_err(Failure::failed)?;
    progress.end();
    found
        .faults
        .iter()
        .chain(&found.unreadable)
        .for_each(|what| answer!("{what}"));
    let shown = text::path(folder);
    let faults = counted(found.faults.len() as u64, "fault");
    let unread = format!("{} could not be read", counted(found.unreadable.len() as u64, "file"));
    let result = match (found.faults.is_empty(), found.unreadable.is_empty()) {
        (true, true) => None,
        (true, false) => Some(format!("{unread}, so this pack is not verified")),
        (false, true) => Some(format!("{faults}; copy the pack again, or pack again")),
        (false, false) => Some(format!("{faults}, and {unread}; copy the pack again, or pack again")),
    };
    if let Some(result) = result {
        return Err(Failure::Failed(format!("{shown}: {result}")));
    }
    let (samples, shards) = (found.samples, counted(manifest.shards.len() as u64, "shard"));
    answer!("pack {shown}: all {samples} samples in {shards} are as they were written");
    Ok(())
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
        let decoded = self.decoder.whole(encoded, &mut self.pixels);
        // A truncated mapped file reads as zeros. That error says more than the decoder's.
        let changed = data.verify(i).err().map(|error| error.to_string());
        changed.or(decoded.err().map(|error| error.to_string()))
    }
}
