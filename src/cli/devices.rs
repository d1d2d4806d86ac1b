//! `pipeline devices`: what a network can run on here.

use clap::Args;
use serde_json::json;

use crate::config::devices::{DeviceName, Kind};
use crate::model::devices::{self, Gpu};
use crate::observe::terminal::{self, answer};
use crate::ops::simd;
use crate::plan;
use crate::text::{self, counted};

pub(super) const EXAMPLES: &str = "Examples:
  pipeline devices
  pipeline run train.toml --set compute.devices='[\"cuda:0\"]'";

#[derive(Args)]
pub(super) struct DevicesArgs {
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn main(args: &DevicesArgs) {
    let gpus = devices::gpus();
    let (auto, _) = devices::automatic(|_| Ok(()));
    let (cores, instructions) = (plan::cores(), simd::used().name());
    if args.json {
        let (gpus, no_gpu) = match &gpus {
            Ok(gpus) => (gpus.iter().map(described).collect(), None),
            Err(why) => (Vec::new(), Some(why.to_string())),
        };
        let cpu = json!({ "name": DeviceName::CPU.as_str(), "cores": cores, "instructions": instructions });
        terminal::json(&json!({ "auto": auto.as_str(), "cpu": cpu, "gpus": gpus, "no_gpu": no_gpu }));
        return;
    }
    answer!("cpu:0     {}, {instructions}", counted(cores as u64, "core"));
    match &gpus {
        Ok(gpus) => gpus.iter().for_each(print),
        Err(why) => answer!("no GPU    {}", text::plain(&why.to_string())),
    }
    answer!("auto      {auto}");
}

fn name(gpu: &Gpu) -> String {
    DeviceName::new(Kind::Cuda, gpu.number).map_or(format!("cuda:{}", gpu.number), |name| name.to_string())
}

fn print(gpu: &Gpu) {
    let Gpu {
        model,
        memory,
        capability,
        driver,
        refusal,
        ..
    } = gpu;
    answer!(
        "{:<9} {}, {} of memory, compute capability {capability}, driver for CUDA {driver}",
        name(gpu),
        text::plain(model),
        memory.for_people()
    );
    if let Some(refusal) = refusal {
        answer!("          cannot be used: {}", text::plain(refusal));
    }
}

fn described(gpu: &Gpu) -> serde_json::Value {
    json!({
        "name": name(gpu),
        "model": gpu.model,
        "memory_bytes": gpu.memory.get(),
        "capability": gpu.capability,
        "driver": gpu.driver,
        "refusal": gpu.refusal,
    })
}
