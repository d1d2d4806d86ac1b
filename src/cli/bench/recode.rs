//! `pipeline bench recode`: a bare loop of the work that packing as JPEGs cannot avoid.

use std::thread::available_parallelism;

use clap::Args;
use serde_json::json;

use super::bare;
use crate::cli::Failure;
use crate::dataset::Dataset;
use crate::observe::terminal::answer;

#[derive(Args)]
pub(super) struct RecodeArgs {
    /// A data set: a folder, a tar, a list, idx:PREFIX
    source: String,
    /// Shorter side of the resized images
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..))]
    size: u32,
    /// JPEG quality
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=100))]
    quality: u32,
    /// Prints the result as a JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn main(args: &RecodeArgs) -> Result<(), Failure> {
    let data = Dataset::open(&args.source).map_err(Failure::usage)?;
    let threads = available_parallelism().map_or(1, usize::from);
    // One extra pass first, which brings the files into memory.
    bare::recode(&data, threads, args.size, args.quality)?;
    let rate = bare::recode(&data, threads, args.size, args.quality)?;
    if args.json {
        answer!(
            "{}",
            json!({ "bare_images_per_s": rate, "images": data.len(), "threads": threads })
        );
    } else {
        answer!("bare loop    {rate:.0} images/s on {threads} threads");
    }
    Ok(())
}
