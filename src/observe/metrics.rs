//! `metrics.jsonl`: one event a line. Errors are fractions, times seconds, `step` counts updates from 1, `epoch` from 0.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::verdicts::Given;
use crate::flow::Verdict;
use crate::flow::meter::Change;
use crate::stages::compute::{Report, RunState};

/// The file, open for more lines.
#[derive(Debug)]
pub struct Metrics {
    file: File,
    path: PathBuf,
}

/// `metrics.jsonl` cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}")]
pub struct MetricsError {
    /// The file.
    pub path: PathBuf,
    /// The system's reason.
    pub source: io::Error,
}

impl Metrics {
    /// Opens `path` to append.
    pub fn open(path: &Path) -> Result<Self, MetricsError> {
        let file = OpenOptions::new().create(true).append(true).open(path);
        file.map(|file| Self {
            file,
            path: path.to_path_buf(),
        })
        .map_err(|source| MetricsError {
            path: path.to_path_buf(),
            source,
        })
    }

    /// Writes one line at once: whoever follows the file sees whole events only.
    pub fn write(&mut self, event: &Value) -> Result<(), MetricsError> {
        let line = format!("{event}\n");
        self.file.write_all(line.as_bytes()).map_err(|source| MetricsError {
            path: self.path.clone(),
            source,
        })
    }
}

/// A report as a line; `None` where it is for the terminal alone.
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
        Report::EvalProgress { .. } => return None,
    };
    Some(event)
}

/// Where the time of each stage went.
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

/// What held an epoch up.
pub fn verdict(given: &Given, elapsed: f64) -> Value {
    let Given { epoch, step, verdict } = given;
    let stages = stages(verdict);
    json!({
        "event": "verdict", "step": step, "epoch": epoch, "bound": verdict.bound, "text": verdict.text,
        "images_per_s": round(verdict.images_per_s), "free_cores": round(verdict.free_cores), "stages": stages,
        "elapsed_s": round(elapsed),
    })
}

/// A stage was given one worker more or one less.
pub fn workers(change: &Change, step: u64, elapsed: f64) -> Value {
    json!({
        "event": "workers", "step": step, "stage": change.stage, "before": change.from, "workers": change.to,
        "reason": change.reason, "elapsed_s": round(elapsed),
    })
}

/// An f32 as the shortest decimal that means it: 0.01 and not 0.009999999776482582.
fn tidy(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}

/// Milliseconds and tenths of images are enough.
fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// What an interrupted run wrote after its last checkpoint.
#[derive(Debug, Default)]
pub struct Cut {
    /// Stream hashes of the steps that are to be done again, by step.
    pub steps: BTreeMap<u64, u64>,
    /// Seconds of training up to the checkpoint.
    pub elapsed_s: f64,
}

/// Takes from `path` all that lies past `state`, so that a resumed run's events follow without a seam. The hashes of the
/// steps that were taken out are kept in `replay` until they have come again, through any number of interruptions.
pub fn cut(path: &Path, replay: &Path, state: &RunState) -> Result<Cut, MetricsError> {
    let mut kept = String::new();
    let mut cut = Cut {
        steps: load_replay(replay),
        elapsed_s: 0.0,
    };
    let mut trained = false;
    for line in read_or_empty(path)?.lines() {
        // A line that a crash has torn is no event.
        let Ok(event) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        if is_before(&event, state, trained) {
            trained |= event["event"] == "step" && event["step"] == state.step;
            kept += line;
            kept.push('\n');
            cut.elapsed_s = event["elapsed_s"].as_f64().unwrap_or(cut.elapsed_s);
        } else if let Some((step, stream)) = stream_of(&event) {
            cut.steps.insert(step, stream);
        }
    }
    cut.steps.retain(|step, _| *step > state.step);
    // First what must not be lost, then what would lose it.
    write_whole(replay, &json!(cut.steps).to_string())?;
    write_whole(path, &kept)?;
    Ok(cut)
}

/// Step and stream hash of a step event.
fn stream_of(event: &Value) -> Option<(u64, u64)> {
    let stream = event["stream"].as_str()?;
    Some((event["step"].as_u64()?, u64::from_str_radix(stream, 16).ok()?))
}

fn load_replay(path: &Path) -> BTreeMap<u64, u64> {
    let text = fs::read_to_string(path).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

fn read_or_empty(path: &Path) -> Result<String, MetricsError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(source) => Err(MetricsError {
            path: path.to_path_buf(),
            source,
        }),
    }
}

/// Writes a file so that a crash leaves the old one or the new one.
fn write_whole(path: &Path, text: &str) -> Result<(), MetricsError> {
    let temporary = path.with_extension("tmp");
    let write = || {
        let mut file = File::create(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    write().map_err(|source| MetricsError {
        path: path.to_path_buf(),
        source,
    })
}

/// Whether an event belongs to the run as the checkpoint knows it. `trained`: the checkpoint's own step lies before it.
fn is_before(event: &Value, state: &RunState, trained: bool) -> bool {
    let step = event["step"].as_u64().unwrap_or(0);
    let of_evaluation = match event["event"].as_str() {
        Some("eval" | "plateau") => true,
        // What is skipped after the step was met by the evaluation that followed.
        Some("skip") => trained,
        _ => false,
    };
    // An evaluation is in the checkpoint only if the checkpoint was made after it.
    step < state.step
        || (step == state.step && (!of_evaluation || state.newest.is_some_and(|newest| newest.step == step)))
}

/// All events of a run.
pub fn read(path: &Path) -> Result<Vec<Value>, MetricsError> {
    let text = fs::read_to_string(path).map_err(|source| MetricsError {
        path: path.to_path_buf(),
        source,
    })?;
    Ok(text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect())
}
