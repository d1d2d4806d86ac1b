//! `pipeline export`: any data set as class folders of JPEGs.

use std::path::PathBuf;

use clap::Args;

use super::{Failure, notes};
use crate::dataset::{Dataset, export};
use crate::observe::images::ImagesProgress;
use crate::observe::terminal::answer;
use crate::text;

pub(super) const EXAMPLES: &str = "Example:
  pipeline export idx:/usr/share/datasets/fashion-mnist/train --out datasets/fashion-mnist/data/train";

#[derive(Args)]
pub(super) struct ExportArgs {
    /// The data set: a folder, a tar, a list, idx:PREFIX, cifar:DIR/train, ilsvrc:DIR/val
    source: String,
    /// The folder to create
    #[arg(long)]
    out: PathBuf,
    /// JPEG quality for images that must be encoded; image files are copied unchanged
    #[arg(long, default_value_t = 95, value_parser = clap::value_parser!(u32).range(1..=100))]
    quality: u32,
}

pub(super) fn main(args: &ExportArgs, quiet: bool) -> Result<(), Failure> {
    let data = Dataset::open(&args.source).map_err(Failure::failed)?;
    notes::of_data("source", &data, quiet);
    let progress = ImagesProgress::new(data.len() as u64, "export", 0, quiet);
    export(&data, &args.out, args.quality, |_| progress.add(1)).map_err(Failure::failed)?;
    progress.end();
    answer!(
        "{}: {} images in {} classes",
        text::path(&args.out),
        data.len(),
        data.classes().len()
    );
    Ok(())
}
