//! `pipeline bench compute`: training steps on random images in memory, and where their time goes.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;

use crate::cli::Failure;
use crate::ops::simd::{self, Instructions};
use crate::plan::ModelPlan;

mod dump;
mod images;
mod layers;
mod measure;
mod pace;
mod report;
mod subject;
mod table;

use crate::observe::terminal::{self, answer, tell};
use pace::Pace;
use report::Report;

pub(super) const EXAMPLES: &str = "Examples:
  pipeline bench compute                              the paper's network, batches of 128
  pipeline bench compute --model alexnet-small --batch 64 --threads 1
  pipeline bench compute --model train.toml --set model.dropout=0 --json";

#[derive(Args)]
pub(super) struct ComputeArgs {
    /// A preset, or a configuration file (its images are not read)
    #[arg(long, default_value = "alexnet", value_name = "PRESET|TOML")]
    model: String,
    /// The device, such as cpu:0 or cuda:0 [default: the first GPU, or else the CPU; or as configured]
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
    /// Images per batch [default: 128, or as configured]
    #[arg(long, value_name = "N")]
    batch: Option<NonZeroUsize>,
    /// Compute threads [default: one per core, or as configured]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Steps to time; the median counts
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    steps: u32,
    /// Warm-up steps before those
    #[arg(long, default_value_t = 1, value_name = "N")]
    warmup: u32,
    /// Overrides a key of the configuration or preset (augment.crop is the side of the images); can be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    /// The best instruction set to use: portable, avx2 or avx512
    #[arg(long, value_name = "SET")]
    instructions: Option<Instructions>,
    /// Writes the images, labels and initial weights, so that another program can repeat the steps
    #[arg(long, value_name = "SAFETENSORS")]
    dump: Option<PathBuf>,
    /// Prints the layers as a JSON object, without computing anything
    #[arg(long)]
    layers: bool,
    /// Prints the result as a JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn main(args: &ComputeArgs, quiet: bool) -> Result<(), Failure> {
    let config = subject::config(args, quiet)?;
    let plan = ModelPlan::new(&config, subject::classes(&config, quiet)).map_err(Failure::usage)?;
    if args.layers {
        terminal::json(&layers::describe(&args.model, &config, &plan));
        return Ok(());
    }
    if let Some(most) = args.instructions {
        simd::limit(most);
        if simd::used() != most {
            let used = simd::used();
            return Err(Failure::usage(format!(
                "--instructions {}: this processor supports {used} at best",
                most.name()
            )));
        }
    }
    let mut pace = Pace::new();
    let told = |number: u32, rate: f64| {
        if !(quiet || args.json) && (pace.is_time(Instant::now()) || number == args.steps) {
            tell!("step {number}/{}: {rate:.1} images/s", args.steps);
        }
    };
    let measured = measure::measure(&config, &plan, args, told)?;
    let report = Report::new(&args.model, &config, &plan, &measured);
    if !measured.losses.iter().all(|loss| loss.is_finite()) {
        tell!("the loss is not finite, so these figures are not typical of training; try a smaller solver.lr");
    }
    if args.json {
        terminal::json(&serde_json::to_value(&report).map_err(Failure::failed)?);
    } else {
        answer!("{}", table::table(&report).trim_end());
    }
    Ok(())
}
