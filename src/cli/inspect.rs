//! `pipeline inspect`: identifies a file or folder, or tells why it would be refused.

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Failure, unreadable};
use super::{folder, trained, verify};
use crate::dataset::pack::{Manifest, Pack, Settings};
use crate::dataset::{Dataset, Encoded, read_image};
use crate::files;
use crate::model::checkpoint::{self, CheckpointError, Content};
use crate::observe::terminal::answer;
use crate::stages::decode::{Decoder, Options};
use crate::text::{self, counted, plain};

pub(super) const EXAMPLES: &str = "Examples:
  pipeline inspect runs/fashion-mnist
  pipeline inspect runs/fashion-mnist/checkpoints/step-00004690.safetensors
  pipeline inspect imagenette224.tar/train
  pipeline inspect photos/train --verify               decodes every image and lists the bad ones
  pipeline inspect packs/train --verify                compares a pack with its checksums first
  pipeline inspect photo.jpg                           exits with 1 and the reason if it is refused";

#[derive(Args)]
pub(super) struct InspectArgs {
    /// A run's folder, a checkpoint, a data set, a pack or an image
    thing: PathBuf,
    /// Decodes every image of a data set and lists the bad ones. Before that, compares every byte of a pack with its checksums
    #[arg(long)]
    verify: bool,
}

pub(super) fn main(args: &InspectArgs, quiet: bool) -> Result<(), Failure> {
    let thing = &args.thing;
    let text = thing.to_string_lossy();
    if args.verify {
        return verify::main(&text, quiet);
    }
    // A location need not be a path, so that nothing may be there.
    let is = |path: &Path, kind: fn(&Path) -> io::Result<bool>| kind(path).map_err(|error| unreadable(path, &error));
    if is(thing, files::is_folder)? && is(&folder::checkpoints(thing), files::is_folder)? {
        run(thing)
    } else if thing.extension().is_some_and(|extension| extension == "safetensors") {
        show_checkpoint(thing)
    } else if is(thing, files::is_file)? && !is_dataset(thing) {
        image(thing)
    } else {
        dataset(&text)
    }
}

fn is_dataset(file: &Path) -> bool {
    let extension = file.extension().map(std::ffi::OsStr::to_ascii_lowercase);
    extension.is_some_and(|extension| ["tar", "txt", "tsv", "csv"].iter().any(|kind| extension == *kind))
}

fn run(path: &Path) -> Result<(), Failure> {
    answer!("run {}", text::path(path));
    let all = checkpoint::list(&folder::checkpoints(path)).map_err(Failure::failed)?;
    if all.is_empty() {
        return Err(Failure::Failed(format!(
            "{}: the run has no checkpoint",
            text::path(path)
        )));
    }
    for (step, file) in &all {
        answer!("  step {step:>8}  {}", text::path(file));
    }
    match checkpoint::best(&folder::checkpoints(path)) {
        Ok(None) => {}
        Ok(Some(best)) => answer!("  best           {}", text::path(&best)),
        Err(error @ CheckpointError::Damaged { .. }) => answer!("  best           {error}"),
        Err(error) => return Err(Failure::failed(error)),
    }
    match folder::newest_good(&folder::checkpoints(path)).map_err(Failure::failed)? {
        Some((file, _)) => show_checkpoint(&file),
        None => Err(Failure::Failed(format!(
            "{}: no checkpoint is intact",
            text::path(path)
        ))),
    }
}

fn show_checkpoint(path: &Path) -> Result<(), Failure> {
    let loaded = checkpoint::read(path).map_err(Failure::failed)?;
    let state = trained::state(path, &loaded)?;
    answer!("checkpoint {}", text::path(path));
    answer!(
        "  step {}, epoch {}, batch {}",
        state.step,
        state.position.epoch,
        state.position.batch
    );
    if let Some(newest) = state.newest {
        answer!(
            "  top-1 error {:.4}, top-5 error {:.4} at step {}",
            newest.top1_error,
            newest.top5_error,
            newest.step
        );
    }
    let end = match (state.finished, loaded.content) {
        (true, _) => "complete",
        (false, Content::Everything) => "can be resumed",
        (false, Content::Weights) => "weights only",
    };
    answer!("  {} classes, stream {:016x}, {end}", state.classes.len(), state.stream);
    let mut total = 0;
    for parameter in &loaded.parameters {
        total += parameter.value.len();
        let shape: Vec<String> = parameter.shape.iter().map(ToString::to_string).collect();
        answer!("  {:<16} [{}]", plain(&parameter.name), shape.join(", "));
    }
    match loaded.content {
        Content::Everything => answer!("  {total} parameters, with momentum"),
        Content::Weights => answer!("  {total} parameters, without momentum: no run can resume from it"),
    }
    Ok(())
}

fn dataset(location: &str) -> Result<(), Failure> {
    let data = Dataset::open(location).map_err(Failure::failed)?;
    answer!(
        "data set {}: {} images in {} classes, {}",
        plain(location),
        data.len(),
        data.classes().len(),
        data.kind()
    );
    if let Some(pack) = data.pack() {
        describe(pack)?;
    }
    if let Some(labels) = data.labels_are() {
        answer!("  {labels}");
    }
    if !data.ignored().is_empty() {
        answer!("  {}", data.ignored());
    }
    let mut counts = vec![0u64; data.classes().len()];
    for i in 0..data.len() {
        counts[data.label(i) as usize] += 1;
    }
    for (class, count) in data.classes().iter().zip(counts) {
        answer!("  {count:>8}  {}", plain(class));
    }
    answer!("  fingerprint {:016x}", data.fingerprint());
    Ok(())
}

/// Prints the contents of a pack's manifest.
fn describe(pack: &Pack) -> Result<(), Failure> {
    let manifest = Manifest::read(&pack.folder).map_err(Failure::failed)?;
    let Settings {
        mode,
        frames,
        quality,
        dealing_seed,
        source,
        writer,
        ..
    } = &manifest.settings;
    let side = frames
        .shorter_side
        .map_or("original".to_string(), |side| side.to_string());
    let square = if frames.square { ", central square" } else { "" };
    let quality = quality.map_or(String::new(), |quality| format!(", quality {quality}"));
    let order = dealing_seed.map_or("canonical order".to_string(), |seed| format!("shuffled by seed {seed}"));
    answer!(
        "  {} of {} ({} samples), by {}",
        mode.name(),
        plain(&source.location),
        source.samples,
        plain(writer)
    );
    answer!("  shorter side {side}{square}{quality}; {order}");
    let (shards, megabytes) = (manifest.shards.len(), manifest.bytes() as f64 / 1e6);
    answer!(
        "  {}, {megabytes:.1} MB; {} skipped",
        counted(shards as u64, "shard"),
        counted(manifest.skipped.len() as u64, "image")
    );
    Ok(())
}

fn image(path: &Path) -> Result<(), Failure> {
    let refused = |reason: String| Failure::Failed(format!("{}: {reason}", text::path(path)));
    let bytes = read_image(path).map_err(|error| refused(format!("cannot be read: {error}")))?;
    let mut decoder = Decoder::new(Options::default()).map_err(Failure::failed)?;
    let mut pixels = Vec::new();
    let frame = decoder
        .whole(Encoded::File(&bytes), &mut pixels)
        .map_err(|error| refused(error.to_string()))?;
    let mut sums = [0u64; 3];
    for pixel in pixels.chunks_exact(3) {
        sums.iter_mut()
            .zip(pixel)
            .for_each(|(sum, &value)| *sum += u64::from(value));
    }
    let count = (pixels.len() / 3) as f64;
    let [r, g, b] = sums.map(|sum| sum as f64 / count);
    answer!(
        "image {}: {} x {} pixels (upright), {} bytes",
        text::path(path),
        frame.width,
        frame.height,
        bytes.len()
    );
    answer!("  mean RGB {r:.1} {g:.1} {b:.1}");
    Ok(())
}
