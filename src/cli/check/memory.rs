//! The memory that a run needs, and the limit on it.

use crate::config::Config;
use crate::config::workers::Workers;
use crate::memory::Bytes;
use crate::observe::terminal::answer;
use crate::plan::{self, Buffers, Crews, Limit, MemoryBudget, ModelPlan, Need, SHARE, needs, preprocessing};
use crate::text::counted;

/// The host's memory. `workspace` is that of a decode worker, if it is known.
pub(super) fn memory(config: &Config, model: &ModelPlan, crews: Crews, workspace: Option<Bytes>) {
    let buffers = Buffers::new(config, model, crews);
    let needs = buffers.needs(&model.memory(), workspace.unwrap_or_default());
    answer!(
        "memory    {:<26} {:>10}",
        format!("for batches of {}", config.staging.batch),
        "MB"
    );
    let has_none = |need: &Need| match model.gpu_memory() {
        Some(_) => need.bytes == Bytes::default(),
        None => model.devices.len() == 1 && need.what == needs::EXCHANGE,
    };
    for Need { what, bytes } in needs.iter().filter(|need| !has_none(need)) {
        answer!("          {what:<26} {:>10.1}", bytes.megabytes());
    }
    answer!("          {:<26} {:>10.1}", "total", needs::sum(&needs).megabytes());
    if workspace.is_some() {
        let peak = preprocessing::decode_options(config).most_bytes();
        answer!(
            "          images that need more than a decode worker's share are decoded one at a time and may take {:.0} MB each",
            peak as f64 / 1e6
        );
    } else {
        answer!("          plus the image that each decode worker is decoding");
    }
    if workspace.is_none() && buffers.pixel_buffer.is_none() {
        answer!(
            "          and {} buffers, each as large as the largest image",
            buffers.pixel_buffers
        );
    }
}

/// The memory of the GPU, which is not the host's.
pub(super) fn of_gpu(model: &ModelPlan) {
    let Some(memory) = model.gpu_memory() else {
        return;
    };
    answer!("memory    {:<26} {:>10}", "of the GPU", "MB");
    for Need { what, bytes } in needs::of_networks(&memory)
        .iter()
        .filter(|need| need.what != needs::EXCHANGE)
    {
        answer!("          {what:<26} {:>10.1}", bytes.megabytes());
    }
    answer!("          {:<26} {:>10.1}", "total", memory.total().megabytes());
}

/// The memory limit, and the number of workers that it allows.
pub(super) fn limit(config: &Config, budget: &MemoryBudget, crews: Crews) {
    let (bytes, origin) = match budget.limit {
        Limit::Asked(bytes) => (bytes, "run.memory".to_string()),
        Limit::Share(bytes) => (bytes, format!("{SHARE} % of the available memory")),
        Limit::Unknown => {
            answer!(
                "          limit: none, because the system does not report the available memory; set run.memory to limit it"
            );
            return;
        }
    };
    answer!("          {:<26} {:>10.1}  {origin}", "limit", bytes.megabytes());
    let free: Vec<usize> = [
        (config.decode.workers, crews.decode),
        (config.augment.workers, crews.augment),
    ]
    .iter()
    .filter(|(workers, _)| *workers == Workers::Auto)
    .map(|(_, crew)| crew.max)
    .collect();
    if budget.needed(crews) > bytes {
        answer!("          the run needs more than that even with one worker per stage: the system may kill it");
    } else if let Some(max) = free.first() {
        answer!(
            "          that allows up to {} per \"auto\" stage, on {}",
            counted(*max as u64, "worker"),
            counted(plan::cores() as u64, "core")
        );
    }
}
