//! The results of the steps: totals, and a row for each piece of work.

use serde::Serialize;

use super::measure::Measured;
use crate::config::Config;
use crate::config::devices::DeviceName;
use crate::model::{Lap, Peak, Spec};
use crate::observe::memory;
use crate::ops::simd;
use crate::plan::ModelPlan;

/// The measurement, as `--json` prints it.
#[derive(Serialize)]
pub(super) struct Report {
    pub(super) model: String,
    /// Channels, height and width.
    pub(super) input: [usize; 3],
    pub(super) classes: usize,
    pub(super) batch: usize,
    /// `cpu:0`, `cuda:0`, …
    pub(super) device: &'static str,
    pub(super) threads: usize,
    /// The instruction set of the kernels.
    pub(super) instructions: &'static str,
    /// The method in the configuration. The rows have the method used.
    pub(super) convolution: &'static str,
    pub(super) steps: usize,
    pub(super) images_per_s: f64,
    pub(super) step_ms: f64,
    /// Nominal: counted for direct computation.
    pub(super) gflops: f64,
    pub(super) peak_gflops: f64,
    pub(super) share_of_peak: f64,
    /// What a copy within the device's memory reads and writes, where that was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) peak_bytes_per_s: Option<f64>,
    pub(super) peak_resident_bytes: Option<u64>,
    pub(super) planned_bytes: u64,
    pub(super) losses: Vec<f64>,
    pub(super) layers: Vec<Row>,
}

/// A piece of the median step.
#[derive(Clone, Serialize)]
pub(super) struct Row {
    /// Names of the layers, joined by `+` if one pass computes several.
    pub(super) layer: String,
    pub(super) direction: &'static str,
    /// The method of a convolution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) algorithm: Option<&'static str>,
    pub(super) ms: f64,
    pub(super) gflops: f64,
    pub(super) share_of_peak: f64,
    /// Counts only the bytes that it must read and write.
    pub(super) bytes_per_s: f64,
    /// Of a copy within the device's memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) share_of_copy: Option<f64>,
}

impl Report {
    pub(super) fn new(model: &str, config: &Config, plan: &ModelPlan, measured: &Measured) -> Self {
        let (batch, spec, input) = (config.staging.batch.get(), &plan.spec, plan.spec.input);
        let seconds = measured.median.time.as_secs_f64();
        let flops = spec.step_flops(batch) as f64 / seconds;
        let convolution = config.compute.convolution;
        let row = |lap: &Lap| Row::new(spec, lap, batch, measured.peak);
        Self {
            model: model.to_string(),
            input: [input.channels, input.height, input.width],
            classes: plan.classes,
            batch,
            device: plan.names().next().unwrap_or(DeviceName::CPU).as_str(),
            threads: plan.threads,
            instructions: simd::used().name(),
            convolution: convolution.word(),
            steps: measured.steps,
            images_per_s: batch as f64 / seconds,
            step_ms: 1e3 * seconds,
            gflops: flops / 1e9,
            peak_gflops: measured.peak.flops / 1e9,
            share_of_peak: flops / measured.peak.flops,
            peak_bytes_per_s: measured.peak.bytes,
            peak_resident_bytes: memory::peak_resident_bytes(),
            planned_bytes: plan.gpu_memory().unwrap_or(plan.memory()).total().get(),
            losses: measured.losses.clone(),
            layers: measured.median.laps.iter().map(row).collect(),
        }
    }
}

impl Report {
    /// Whether a GPU was measured.
    pub(super) fn is_on_gpu(&self) -> bool {
        self.device.starts_with("cuda")
    }
}

impl Row {
    fn new(spec: &Spec, lap: &Lap, batch: usize, peak: Peak) -> Self {
        let Lap {
            layers,
            direction,
            algorithm,
            time,
        } = lap;
        // The clock may not advance during the shortest pieces.
        let seconds = time.as_secs_f64().max(1e-9);
        let flops = spec.flops(layers, *direction, batch) as f64 / seconds;
        let bytes = spec.bytes(layers, *direction, batch) as f64 / seconds;
        let name = |index: usize| spec.layers.get(index).map_or("loss", |layer| &layer.name);
        Self {
            layer: match layers.len() {
                0 => "input".to_string(),
                all if all == spec.layers.len() => "all".to_string(),
                _ => layers.clone().map(name).collect::<Vec<_>>().join("+"),
            },
            direction: direction.name(),
            algorithm: *algorithm,
            ms: 1e3 * seconds,
            gflops: flops / 1e9,
            share_of_peak: flops / peak.flops,
            bytes_per_s: bytes,
            share_of_copy: peak.bytes.map(|copy| bytes / copy),
        }
    }
}
