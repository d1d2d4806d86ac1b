//! `pipeline bench`: the speed of a run's parts on this machine.

use clap::{Args, Subcommand};

use super::Failure;

mod bare;
mod compute;
mod input;
mod recode;

pub(super) const EXAMPLES: &str = "Examples:
  pipeline bench input train.toml
  pipeline bench input train.toml --bare --json       compares with a bare decoding loop
  pipeline bench recode photos/train --size 256
  pipeline bench compute --model alexnet              times training steps and their layers";

#[derive(Args)]
pub(super) struct BenchArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Measures the input: images per second from files to whole batches, without training
    #[command(after_help = EXAMPLES)]
    Input(input::InputArgs),
    /// Measures the upper limit of packing: images per second of a bare loop that decodes, resizes and encodes
    #[command(after_help = EXAMPLES)]
    Recode(recode::RecodeArgs),
    /// Measures training on random images in memory, layer by layer, compared with the processor's peak
    #[command(after_help = compute::EXAMPLES)]
    Compute(compute::ComputeArgs),
}

pub(super) fn main(args: &BenchArgs, quiet: bool) -> Result<(), Failure> {
    match &args.what {
        What::Input(args) => input::main(args, quiet),
        What::Recode(args) => recode::main(args),
        What::Compute(args) => compute::main(args, quiet),
    }
}

/// The median; of an even number, the mean of the middle two.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}
