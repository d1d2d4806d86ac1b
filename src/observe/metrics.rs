//! `metrics.jsonl`: one event per line. Errors are fractions, times are seconds. `step` counts updates from 1, `epoch` from 0.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::error::MetricsError;
use super::lines::Lines;
use super::verdicts::Given;
use crate::durable;
use crate::flow::Verdict;
use crate::flow::meter::Change;
use crate::stages::compute::Report;

/// The file, open for appending.
#[derive(Debug)]
pub struct Metrics {
    file: File,
    path: PathBuf,
}

impl Metrics {
    /// Opens `path` for appending.
    pub fn open(path: &Path) -> Result<Self, MetricsError> {
        let opened = OpenOptions::new().create(true).append(true).open(path);
        // Its entry in the folder must be durable too, or a crash would lose the whole file.
        let lasting = opened.and_then(|file| {
            durable::sync_folder(path.parent().unwrap_or(Path::new(".")))?;
            Ok(file)
        });
        lasting.map_err(MetricsError::of(path)).map(|file| Self {
            file,
            path: path.to_path_buf(),
        })
    }

    /// Writes one line at once, so that a program that follows the file sees only whole events.
    pub fn write(&mut self, event: &Value) -> Result<(), MetricsError> {
        let line = format!("{event}\n");
        let written = self.file.write_all(line.as_bytes());
        written.map_err(MetricsError::of(&self.path))
    }

    /// Makes everything written so far durable.
    pub fn sync(&self) -> Result<(), MetricsError> {
        self.file.sync_data().map_err(MetricsError::of(&self.path))
    }
}

/// A report as a line; `None` if it is only for the terminal.
pub fn event(report: &Report, elapsed: f64, images_per_s: f64) -> Option<Value> {
    let event = match report {
        Report::Step {
            step,
            epoch,
            loss,
            top1_error,
            lr,
            images,
            stream,
            ..
        } => json!({
            "event": "step", "step": step, "epoch": epoch, "loss": loss, "lr": tidy(*lr), "images": images,
            "train_top1_error": top1_error, "images_per_s": round(images_per_s), "elapsed_s": round(elapsed),
            "stream": format!("{stream:016x}"),
        }),
        Report::Eval {
            step,
            epoch,
            result,
            crops,
            is_best,
        } => json!({
            "event": "eval", "step": step, "epoch": epoch, "loss": result.loss, "top1_error": result.top1_error,
            "top5_error": result.top5_error, "images": result.images, "skipped": result.refused, "crops": crops,
            "best": is_best, "elapsed_s": round(elapsed),
        }),
        Report::Plateau { step, factor } => {
            json!({ "event": "plateau", "step": step, "factor": factor, "elapsed_s": round(elapsed) })
        }
        Report::Skip { step, sample, reason } => {
            json!({ "event": "skip", "step": step, "sample": sample, "reason": reason })
        }
        Report::Saved { step, path, is_best } => json!({
            "event": "checkpoint", "step": step, "file": path.file_name().map(|name| name.to_string_lossy()),
            "best": is_best, "elapsed_s": round(elapsed),
        }),
        Report::EvalProgress { .. } | Report::Saving { .. } => return None,
    };
    Some(event)
}

/// How each stage spent its time.
pub fn stages(verdict: &Verdict) -> Value {
    let stages: Map<String, Value> = verdict
        .stages
        .iter()
        .map(|share| {
            let value = json!({
                "workers": round(share.workers), "busy": round(share.busy), "input_wait": round(share.input_wait),
                "room_wait": round(share.room_wait), "items": share.items,
            });
            (share.name.to_string(), value)
        })
        .collect();
    Value::Object(stages)
}

/// The bottleneck of an epoch.
pub fn verdict(given: &Given, elapsed: f64) -> Value {
    let Given { epoch, step, verdict } = given;
    let stages = stages(verdict);
    json!({
        "event": "verdict", "step": step, "epoch": epoch, "bound": verdict.bound, "text": verdict.text,
        "images_per_s": round(verdict.images_per_s), "free_cores": round(verdict.free_cores), "stages": stages,
        "elapsed_s": round(elapsed),
    })
}

/// A change of a stage's number of workers by one.
pub fn workers(change: &Change, step: u64, elapsed: f64) -> Value {
    json!({
        "event": "workers", "step": step, "stage": change.stage, "before": change.from, "workers": change.to,
        "reason": change.reason, "elapsed_s": round(elapsed),
    })
}

/// An f32 as the shortest decimal that identifies it: 0.01 and not 0.009999999776482582.
fn tidy(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}

/// Milliseconds and tenths of images are enough.
fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// Whether the events in `path` include a checkpoint.
pub fn tells_of_a_checkpoint(path: &Path) -> Result<bool, MetricsError> {
    let mut lines = Lines::open(path)?;
    while let Some((event, _)) = lines.next_event()? {
        if event["event"] == "checkpoint" {
            return Ok(true);
        }
    }
    Ok(false)
}
