//! `pipeline check`: describes a run without starting it. Writes nothing.

use clap::Args;

use super::{ConfigArgs, Failure, estimate};
use crate::config::Config;
use crate::config::augment::Mean;
use crate::config::compute::Parallel;
use crate::dataset::DatasetError;
use crate::memory::Bytes;
use crate::model::Spec;
use crate::observe::eta::duration;
use crate::observe::terminal::answer;
use crate::plan::{self, Buffers, Crew, Crews, DevicePlan, Disk, MemoryBudget, ModelPlan, Plan, PlanError};
use crate::stages::Partition;
use crate::stages::compute::IN_FLIGHT;
use crate::stages::messages::Phase;
use crate::stages::source::Itinerary;
use crate::text::{self, counted};

mod memory;

pub(super) const EXAMPLES: &str = "Examples:
  pipeline check datasets/imagenette/train.toml
  pipeline check train.toml --set staging.batch=256";

/// The number of classes assumed if neither the data nor the configuration has one.
pub(super) const CLASSES: usize = 1000;

#[derive(Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) fn main(args: &CheckArgs) -> Result<(), Failure> {
    let mut config = args.config.read()?;
    let mut planned = Plan::new(config.clone());
    if let Err(PlanError::Data {
        key: "val",
        source: source @ DatasetError::NotFound { .. },
    }) = &planned
    {
        answer!("data      missing: data.val: {source}");
        config.data.val = None;
        planned = Plan::new(config.clone());
    }
    match planned {
        Ok(plan) => {
            data(&plan);
            pixels(&plan, config.augment.std.is_some());
            model(&plan.model.spec);
            devices(&plan.config, &plan.model);
            queues(&plan.config, &plan.model, plan.crews());
            memory::memory(&plan.config, &plan.model, plan.crews(), Some(plan.workspace));
            memory::limit(&plan.config, &plan.memory, plan.crews());
            memory::of_gpu(&plan.model);
            disk(&plan);
            time(&plan);
        }
        Err(PlanError::Data { key, source }) if matches!(source, DatasetError::NotFound { .. }) => {
            answer!("data      missing: data.{key}: {source}");
            plan::scale::fill_in(&mut config);
            let classes = config.model.classes.map_or(CLASSES, std::num::NonZeroUsize::get);
            answer!("          the rest of the plan assumes {classes} classes");
            let planned = ModelPlan::new(&config, classes).map_err(Failure::usage)?;
            model(&planned.spec);
            devices(&config, &planned);
            let budget = MemoryBudget::new(&config, &planned, Bytes::default()).map_err(Failure::usage)?;
            let crews = budget.crews(&config, plan::cores());
            queues(&config, &planned, crews);
            memory::memory(&config, &planned, crews, None);
            memory::limit(&config, &budget, crews);
            memory::of_gpu(&planned);
        }
        Err(error) => return Err(Failure::usage(error)),
    }
    Ok(())
}

fn data(plan: &Plan) {
    let show = |name: &str, set: &crate::dataset::Dataset| {
        let (images, classes, kind) = (set.len(), set.classes().len(), set.kind());
        answer!(
            "data      {name:5} {images} images in {classes} classes, {kind}: {}",
            text::plain(set.location())
        );
        if !set.ignored().is_empty() {
            answer!("                {}", set.ignored());
        }
        if let Some(lacking) = set.lacks() {
            answer!("                {lacking}");
        }
    };
    show("train", &plan.sets.train);
    if plan.itinerary.val_samples > 0 {
        show("val", &plan.sets.val);
        if let Some(all) = plan.sets.val.part_of() {
            let (aside, seed) = (plan.sets.val.len(), plan.config.run.seed);
            answer!("                set aside from train: {aside} of {all} images, chosen by run.seed = {seed}");
        }
    }
    let way = &plan.itinerary;
    answer!(
        "run       {} of {}, in {} of {}: {} in total{}",
        counted(u64::from(way.epochs()), "epoch"),
        counted(u64::from(way.train_samples), "image"),
        counted(u64::from(way.steps_per_epoch()), "step"),
        way.batch,
        counted(way.steps, "step"),
        evaluations(way),
    );
    let Partition { ranks, rank } = way.partition;
    if way.partition.is_part() {
        answer!(
            "          rank {rank} of {ranks}: {} of the {} images of an epoch, at positions {rank}, {rank} + {ranks}, … of its order; \
             every rank evaluates the whole validation set",
            way.samples_per_epoch(),
            way.train_samples
        );
    }
}

/// The number of evaluations.
fn evaluations(way: &Itinerary) -> String {
    let batches = way.batches(way.epochs().saturating_sub(1), Phase::Evaluate);
    let of = counted(u64::from(batches), "batch");
    match (batches, way.every_epochs.get()) {
        (0, _) => "; no evaluation, because there is no validation set".to_string(),
        (_, 1) => format!("; evaluation after each epoch ({of})"),
        (_, every) => format!("; evaluation every {every} epochs ({of})"),
    }
}

/// The scale of the pixels that the network sees, and warnings about it.
fn pixels(plan: &Plan, is_std_given: bool) {
    let augment = &plan.config.augment;
    let mean = match augment.mean {
        Mean::Fixed([r, g, b]) => format!("{r}, {g}, {b}"),
        Mean::Channel => "the mean of each channel".to_string(),
        Mean::Image => "the mean image".to_string(),
    };
    let origin = if is_std_given { "" } else { ", the preset's default" };
    let std = augment
        .std
        .map_or("nothing: they keep their range of 0..255".to_string(), |[r, g, b]| {
            format!("{r}, {g}, {b} (augment.std{origin})")
        });
    answer!("pixels    minus {mean}, divided by {std}");
    for warning in plan.warnings() {
        answer!("warning   {warning}");
    }
}

fn model(spec: &Spec) {
    answer!(
        "model     {:<9} {:<9} {:>16} {:>12} {:>14}",
        "layer",
        "kind",
        "output",
        "parameters",
        "multiply-adds"
    );
    for layer in &spec.layers {
        answer!(
            "          {:<9} {:<9} {:>16} {:>12} {:>14}",
            layer.name,
            layer.operation.kind(),
            layer.output.to_string(),
            layer.parameters(),
            layer.multiply_adds()
        );
    }
    answer!(
        "          {:<9} {:<9} {:>16} {:>12} {:>14}",
        "total",
        "",
        "",
        spec.parameters(),
        spec.multiply_adds()
    );
}

/// The share of each device, if there are several.
fn devices(config: &Config, model: &ModelPlan) {
    if let Some(why) = &model.no_gpu {
        answer!("device    cpu:0, because {}", text::plain(&why.to_string()));
    } else if let Some(gpu) = model.devices.iter().find(|device| device.name.is_gpu()) {
        answer!("device    {}", gpu.name);
    }
    if model.devices.len() < 2 {
        return;
    }
    answer!(
        "devices   {:<9} {:>12} {:>12} {:>8} {:>10}",
        "device",
        "rows",
        "parameters",
        "threads",
        "MB"
    );
    for device in &model.devices {
        let rows = device.placement.rows(config.staging.batch.get());
        answer!(
            "          {:<9} {:>12} {:>12} {:>8} {:>10.1}",
            device.name,
            format!("{} to {}", rows.start, rows.end - 1),
            device.memory.parameters.get() / 4,
            model.threads,
            device.memory.total().megabytes()
        );
    }
    let what = match config.compute.parallel {
        Parallel::Data => {
            "data parallel: each device takes its rows of every batch; gradients are summed over the devices"
        }
        Parallel::Columns => {
            "columns: each device computes its share of every layer's outputs; feature maps are exchanged where a layer needs all of them"
        }
    };
    answer!("          {what}");
}

fn queues(config: &Config, model: &ModelPlan, crews: Crews) {
    let Config {
        decode,
        augment,
        staging,
        compute,
        observe,
        ..
    } = config;
    let buffers = Buffers::new(config, model, crews);
    let one = Crew { start: 1, max: 1 };
    let of_device = format!(
        "1 command, {IN_FLIGHT} batches on the device; {}",
        counted(model.threads as u64, "compute thread")
    );
    let is_alone = model.devices.len() == 1;
    let of_gpu = [
        ("launch", one, "1 command".to_string()),
        ("cuda", one, format!("1 step, {IN_FLIGHT} batches on the GPU")),
    ];
    let devices: Vec<_> = if model.gpu_memory().is_some() {
        of_gpu.into()
    } else {
        let name = |device: &DevicePlan| if is_alone { "cpu" } else { device.name.as_str() };
        let each = model
            .devices
            .iter()
            .map(|device| (name(device), one, of_device.clone()));
        each.collect()
    };
    let mut rows = vec![
        ("source", one, format!("{} free slots", staging.slots)),
        (
            "decode",
            crews.decode,
            format!("{} tickets, {} pixel buffers", decode.queue, buffers.pixel_buffers),
        ),
        ("augment", crews.augment, format!("{} decoded crops", augment.queue)),
        (
            "staging",
            one,
            format!("{} receipts, {} open batches", staging.queue, staging.slots),
        ),
        (
            "compute",
            one,
            format!("{} batches, {} outcomes, 1 snapshot", compute.queue, IN_FLIGHT + 1),
        ),
    ];
    rows.extend(devices);
    rows.extend([
        ("save", one, "1 checkpoint".to_string()),
        ("record", one, format!("{} reports", observe.queue)),
    ]);
    answer!("stages    {:<9} {:>7}  queue capacity", "stage", "workers");
    for (stage, workers, inbox) in rows {
        answer!("          {stage:<9} {workers:>7}  {inbox}");
    }
    if crews.can_grow() {
        answer!(
            "          1 to N workers: adjusted during the run; N is one per core, or fewer if memory is short; memory is counted for N"
        );
    }
    let rows = staging.slots.get() * staging.batch.get();
    answer!("          at most {rows} rows in flight (slots × batch)");
}

fn disk(plan: &Plan) {
    let Disk {
        checkpoint,
        lasting,
        peak,
    } = plan.disk();
    let keep = plan.config.checkpoint.keep;
    let best = if plan.itinerary.val_samples > 0 {
        " and the best weights"
    } else {
        ""
    };
    answer!(
        "disk      {} per checkpoint; {} for the newest {keep}{best}; {} while another is written",
        checkpoint.for_people(),
        lasting.for_people(),
        peak.for_people()
    );
}

fn time(plan: &Plan) {
    let way = &plan.itinerary;
    let workers = plan.crews().decode.max;
    let input = estimate::decode_images_per_s(plan, &plan.sets.train).map(|rate| rate * workers as f64);
    let told = input.map_or("unknown".to_string(), |rate| format!("{rate:.0} images/s"));
    if plan.model.gpu_memory().is_some() {
        answer!("time      not estimated: the GPU is not tried; input {told} (from a short measurement)");
        return;
    }
    let threads = plan.model.all_threads();
    let flops = plan.model.spec.step_flops(1);
    let compute = estimate::compute_images_per_s(flops, threads, plan.config.compute.convolution);
    let images = way.steps as f64 * f64::from(way.batch);
    let rate = input.map_or(compute, |input| input.min(compute));
    answer!(
        "time      about {} (a rough estimate from a short measurement: input {told}, compute {compute:.0} images/s on {})",
        duration(images / rate),
        counted(threads as u64, "thread")
    );
}
