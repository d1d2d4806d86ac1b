//! The first lines of a run: network, data and device.

use crate::config::devices::DeviceName;
use crate::observe::live::fitted;
use crate::observe::terminal::tell;
use crate::plan::Plan;
use crate::text::{self, counted, grouped};

/// Prints a summary of `plan` in three lines.
pub(super) fn print(plan: &Plan) {
    let (config, way) = (&plan.config, &plan.itinerary);
    let set = |set: &crate::dataset::Dataset, images: u32| {
        format!(
            "{} images in {}",
            grouped(u64::from(images)),
            text::plain(set.location())
        )
    };
    let val = match way.val_samples {
        0 => "no validation set".to_string(),
        images if plan.sets.val.part_of().is_some() => {
            format!("{} more set aside for validation", grouped(u64::from(images)))
        }
        images => format!("validation: {}", set(&plan.sets.val, images)),
    };
    line(&format!(
        "data      {}, {} classes; {val}",
        set(&plan.sets.train, way.train_samples),
        plan.sets.train.classes().len()
    ));
    let (crop, name) = (
        config.augment.crop,
        config.model.preset.as_deref().unwrap_or("custom layers"),
    );
    line(&format!(
        "network   {}, {} parameters, {crop} x {crop} pixels; {} of {} of {} images",
        text::plain(name),
        grouped(plan.model.spec.parameters() as u64),
        counted(u64::from(way.epochs()), "epoch"),
        counted(u64::from(way.steps_per_epoch()), "step"),
        way.batch
    ));
    line(&format!(
        "device    {}; {} of memory, {} of disk in {}",
        devices(plan),
        plan.memory.needed(plan.crews()).for_people(),
        plan.disk().peak.for_people(),
        text::path(&config.run.out)
    ));
}

/// The devices: `cpu:0, cpu:1 (1 thread each)`, or `cuda:0 (1.2 GB of its memory)`.
fn devices(plan: &Plan) -> String {
    let names: Vec<&str> = plan.model.names().map(DeviceName::as_str).collect();
    let what = if let Some(memory) = plan.model.gpu_memory() {
        format!("{} of its memory", memory.total().for_people())
    } else {
        let each = if names.len() > 1 { " each" } else { "" };
        format!("{}{each}", counted(plan.model.threads as u64, "thread"))
    };
    format!("{} ({what})", names.join(", "))
}

fn line(text: &str) {
    tell!("{}", fitted(text));
}
