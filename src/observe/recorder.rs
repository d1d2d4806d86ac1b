//! The listener of a run: each report becomes an event on disk and a word on the terminal.

use std::time::Instant;

use super::metrics::{self, Metrics};
use super::progress::Progress;
use super::verdicts::Verdicts;
use crate::flow::Fault;
use crate::stages::compute::{Report, Reports};

/// Where reports go.
pub struct Recorder {
    /// Events on disk.
    pub metrics: Metrics,
    /// The terminal.
    pub progress: Progress,
    /// What holds the run up.
    pub verdicts: Verdicts,
    /// Seconds of training before this process.
    pub elapsed_s: f64,
    /// Updates before this process.
    pub step: u64,
}

/// Listens until the end of data.
pub fn run(mut recorder: Recorder, reports: Reports) -> Result<(), Fault> {
    let start = Instant::now();
    let mut before = start;
    recorder.verdicts.begin();
    while let Some(report) = reports.next()? {
        let mut images_per_s = 0.0;
        if let Report::Step { images, step, .. } = report {
            let now = Instant::now();
            images_per_s = f64::from(images) / now.duration_since(before).as_secs_f64().max(1e-9);
            before = now;
            recorder.step = step;
        } else if let Report::EvalProgress { .. } | Report::Eval { .. } = report {
            // The time of an evaluation is not the next step's.
            before = Instant::now();
        }
        if let Report::Saving { step } = report {
            recorder.metrics.sync().map_err(Fault::failed)?;
            reports.keep(step)?;
            continue;
        }
        let elapsed = recorder.elapsed_s + start.elapsed().as_secs_f64();
        if let Some(event) = metrics::event(&report, elapsed, images_per_s) {
            recorder.metrics.write(&event).map_err(Fault::failed)?;
        }
        recorder.progress.show(&report, images_per_s);
        recorder.changes(elapsed)?;
        if let Some(given) = recorder.verdicts.after(&report) {
            let event = metrics::verdict(&given, elapsed);
            recorder.metrics.write(&event).map_err(Fault::failed)?;
        }
    }
    if let Some(given) = recorder.verdicts.end() {
        let elapsed = recorder.elapsed_s + start.elapsed().as_secs_f64();
        let event = metrics::verdict(&given, elapsed);
        recorder.metrics.write(&event).map_err(Fault::failed)?;
    }
    recorder.metrics.sync().map_err(Fault::failed)?;
    recorder.progress.end();
    reports.finish();
    Ok(())
}

impl Recorder {
    /// Tells of numbers of workers that were changed.
    fn changes(&mut self, elapsed: f64) -> Result<(), Fault> {
        while let Some(change) = self.verdicts.next_change() {
            let event = metrics::workers(&change, self.step, elapsed);
            self.metrics.write(&event).map_err(Fault::failed)?;
        }
        Ok(())
    }
}
