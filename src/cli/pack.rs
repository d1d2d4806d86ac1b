//! `pipeline pack`: any data set as WebDataset shards, with statistics and checksums.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};

use super::run::ending;
use super::{Failure, notes, program, quoted};
use crate::config::run::OnBadImage;
use crate::control::{self, Ending, Watch};
use crate::dataset::pack::{Begun, Frames, MANIFEST, Manifest, Mode, Origin, PackError, PackWriter, Settings};
use crate::dataset::{Dataset, Encoded};
use crate::files;
use crate::flow::Stop;
use crate::observe::images::ImagesProgress;
use crate::observe::terminal::{answer, tell};
use crate::plan;
use crate::text;
use crate::topology::{self, Packing};

pub(super) const EXAMPLES: &str = "Examples:
  pipeline pack photos/train --out packs/train
  pipeline pack photos.tar/train --out packs/train --mode raw --size 128 --square
  pipeline pack photos/val --out packs/val --split val --mode passthrough --in-order
  pipeline pack photos/train --out packs/train --resume    resumes an interrupted pack
  pipeline inspect packs/train --verify                    checks every byte
  pipeline run train.toml --set data.train=packs/train";

/// The longest time without progress in a flow that is not stuck.
const STALL_AFTER: Duration = Duration::from_mins(10);

/// The most skipped images listed at the end. The rest is in the manifest.
const MAX_TOLD: usize = 10;

#[derive(Args)]
pub(super) struct PackArgs {
    /// The data set: a folder, a tar, a list, idx:PREFIX, another pack
    source: String,
    /// The folder to create
    #[arg(long)]
    out: PathBuf,
    /// How images are stored
    #[arg(long, value_enum, default_value_t = ModeArg::Jpeg)]
    mode: ModeArg,
    /// Resizes images so that their shorter side has this many pixels; with passthrough, for the statistics only
    /// [default: 256; passthrough: none]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=65_535))]
    size: Option<u32>,
    /// Keeps only the central square, as in the paper; with passthrough, for the statistics only
    #[arg(long)]
    square: bool,
    /// JPEG quality [default: 90]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100))]
    quality: Option<u32>,
    /// Prefix of the shard names
    #[arg(long, value_name = "NAME", default_value = "train")]
    split: String,
    /// Samples per shard
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..))]
    per_shard: u32,
    /// Seed of the order of the samples
    #[arg(long, default_value_t = 1, conflicts_with = "in_order")]
    seed: u64,
    /// Keeps the canonical order of the samples, class after class
    #[arg(long)]
    in_order: bool,
    /// Decoding threads, and as many encoding threads [default: one per core]
    #[arg(long, value_parser = count::<1024>)]
    workers: Option<NonZeroUsize>,
    /// Capacity of each queue between the stages
    #[arg(long, default_value = "4", value_parser = count::<65_536>)]
    queue: NonZeroUsize,
    /// What to do with an image that cannot be decoded
    #[arg(long, value_enum, default_value_t = PolicyArg::Fail)]
    on_bad_image: PolicyArg,
    /// Maximum number of bad images
    #[arg(long, value_name = "N", default_value_t = 100)]
    bad_images_max: u64,
    /// Resumes an unfinished pack, or starts a new one if there is none
    #[arg(long)]
    resume: bool,
}

/// Parses a number from 1 to `MOST`.
fn count<const MOST: usize>(text: &str) -> Result<NonZeroUsize, String> {
    let number = text.parse().ok().filter(|number: &NonZeroUsize| number.get() <= MOST);
    number.ok_or_else(|| format!("expected a whole number from 1 to {MOST}"))
}

#[derive(Clone, Copy, ValueEnum)]
enum ModeArg {
    /// The resized image as a JPEG
    Jpeg,
    /// The pixels of the resized image as a binary PPM
    Raw,
    /// The original file
    Passthrough,
}

#[derive(Clone, Copy, ValueEnum)]
enum PolicyArg {
    /// Stop and name the image
    Fail,
    /// Skip the image
    Skip,
    /// Skip the image and copy it to OUT/quarantine
    Quarantine,
}

pub(super) fn main(args: &PackArgs, quiet: bool) -> Result<(), Failure> {
    let data = Arc::new(Dataset::open(&args.source).map_err(Failure::failed)?);
    notes::of_data("source", &data, quiet);
    let settings = settings(args, &data)?;
    if settings.mode == Mode::Passthrough {
        check_files(&data)?;
    }
    let begun = PackWriter::begin(&args.out, Arc::clone(&data), settings.clone(), args.resume).map_err(refused)?;
    let writer = match begun {
        Begun::Finished(manifest) => {
            summary(args, &manifest, None);
            return Ok(());
        }
        Begun::Under(writer) => *writer,
    };
    if writer.finished() > 0 && !quiet {
        tell!("resuming after {} of {} shards", writer.finished(), settings.shards());
    }
    let packing = Packing {
        data,
        settings,
        workers: workers(args),
        cores: plan::cores(),
        queue: args.queue,
        on_bad_image: policy(args),
        bad_images_max: args.bad_images_max,
        out: args.out.clone(),
    };
    let start = Instant::now();
    let written = run(&packing, writer, quiet)?;
    let manifest = Manifest::read(&args.out).map_err(Failure::failed)?;
    summary(args, &manifest, Some(written as f64 / start.elapsed().as_secs_f64()));
    Ok(())
}

/// Runs the flow to its end. Returns the number of images written.
fn run(packing: &Packing, writer: PackWriter, quiet: bool) -> Result<u64, Failure> {
    let samples = u64::from(packing.settings.source.samples);
    let progress = ImagesProgress::new(samples, "pack", u64::from(writer.next()), quiet);
    let written = Arc::new(AtomicU64::new(0));
    let (count, shown) = (Arc::clone(&written), progress.clone());
    let on_written = move |skipped: Option<(&str, &str)>| {
        count.fetch_add(1, Ordering::Relaxed);
        shown.add(1);
        if let Some((sample, reason)) = skipped {
            shown.say(&format!("skipped {sample}: {reason}"));
        }
    };
    let stop = Stop::default();
    let topology = topology::packing(packing, writer, &stop, Arc::new(on_written));
    let watch = Watch {
        stall_after: STALL_AFTER,
        on_fault: Box::new(|_, _| {}),
        on_stop: Box::new(move || {
            if !quiet {
                tell!("\nstopping; press Ctrl-C again to quit immediately");
            }
        }),
    };
    let end = control::supervise(topology, &stop, watch);
    progress.end();
    match end {
        Ending::Stalled { stage } => {
            // Its threads cannot be joined, so the process must exit.
            let (again, waited) = (again(), STALL_AFTER.as_secs());
            tell!("error: {stage} has work but has made no progress for {waited} seconds; resume with `{again}`");
            std::process::exit(1);
        }
        // The request may have come when everything was already written.
        Ending::Stopped if files::exists(&packing.out.join(MANIFEST)).unwrap_or(false) => {}
        end => ending(end, || format!("finished shards are kept; resume with `{}`", again()))?,
    }
    Ok(written.load(Ordering::Relaxed))
}

fn settings(args: &PackArgs, data: &Dataset) -> Result<Settings, Failure> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if args.split.is_empty() || !args.split.chars().all(plain) {
        let reason = "is used in file names: only letters, digits, - and _ are allowed";
        return Err(Failure::Usage(format!("--split {:?} {reason}", args.split)));
    }
    let mode = match args.mode {
        ModeArg::Jpeg => Mode::Jpeg,
        ModeArg::Raw => Mode::Raw,
        ModeArg::Passthrough => Mode::Passthrough,
    };
    if args.quality.is_some() && mode != Mode::Jpeg {
        let name = mode.name();
        return Err(Failure::Usage(format!(
            "--quality has no effect with --mode {name}: remove it"
        )));
    }
    let default_size = (mode != Mode::Passthrough).then_some(256);
    let frames = Frames {
        shorter_side: args.size.or(default_size),
        square: args.square,
        exif: true,
    };
    let samples = u32::try_from(data.len())
        .map_err(|_| Failure::Usage(format!("{}: more than 4 294 967 295 samples", args.source)))?;
    let source = Origin {
        location: args.source.clone(),
        fingerprint: format!("{:016x}", data.fingerprint()),
        samples,
    };
    Ok(Settings {
        quality: (mode == Mode::Jpeg).then(|| args.quality.unwrap_or(90)),
        dealing_seed: (!args.in_order).then_some(args.seed),
        per_shard: args.per_shard,
        ..Settings::new(args.split.clone(), mode, frames, source)
    })
}

/// Refuses data that are not files: only files can be passed through.
fn check_files(data: &Dataset) -> Result<(), Failure> {
    let mut scratch = Vec::new();
    match data.read(0, &mut scratch).map_err(Failure::failed)? {
        Encoded::File(_) => Ok(()),
        Encoded::Grey { .. } | Encoded::Rgb { .. } => Err(refused(PackError::NothingToPass {
            source_location: data.location().to_owned(),
        })),
    }
}

fn workers(args: &PackArgs) -> NonZeroUsize {
    let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    args.workers.unwrap_or_else(cores)
}

fn policy(args: &PackArgs) -> OnBadImage {
    match args.on_bad_image {
        PolicyArg::Fail => OnBadImage::Fail,
        PolicyArg::Skip => OnBadImage::Skip,
        PolicyArg::Quarantine => OnBadImage::Quarantine,
    }
}

fn refused(error: PackError) -> Failure {
    if error.is_usage() {
        Failure::usage(error)
    } else {
        Failure::failed(error)
    }
}

/// The command that resumes the pack.
fn again() -> String {
    let mut words: Vec<String> = std::env::args().map(|word| quoted(&word)).collect();
    if !words.iter().any(|word| word == "--resume") {
        words.push("--resume".to_owned());
    }
    words.join(" ")
}

/// Prints a summary, and what to do with the pack.
fn summary(args: &PackArgs, manifest: &Manifest, images_per_s: Option<f64>) {
    let out = quoted(&args.out.display().to_string());
    let (samples, classes) = (manifest.samples, manifest.classes.len());
    let shards = text::counted(manifest.shards.len() as u64, "shard");
    let (mode, megabytes) = (manifest.settings.mode.name(), manifest.bytes() as f64 / 1e6);
    answer!("packed       {samples} images in {classes} classes, {shards}, {megabytes:.1} MB, {mode}");
    if let Some(rate) = images_per_s {
        answer!("rate         {rate:.0} images/s");
    }
    if !manifest.skipped.is_empty() {
        answer!("skipped      {}", text::counted(manifest.skipped.len() as u64, "image"));
        for skipped in manifest.skipped.iter().take(MAX_TOLD) {
            answer!(
                "             {}: {}",
                text::plain(&skipped.sample),
                text::plain(&skipped.reason)
            );
        }
        if manifest.skipped.len() > MAX_TOLD {
            let path = args.out.join(MANIFEST);
            answer!("             {} lists them all", text::path(&path));
        }
    }
    answer!("next         {} inspect {out} --verify", program());
    answer!(
        "             {} run train.toml --set data.{}={out}",
        program(),
        key(&args.split)
    );
}

/// The key of the configuration for a split.
fn key(split: &str) -> &'static str {
    if split.starts_with("val") || split.starts_with("test") {
        "val"
    } else {
        "train"
    }
}
