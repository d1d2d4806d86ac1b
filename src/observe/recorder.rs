//! The listener of a run: each report becomes an event on disk and progress on the terminal.

use std::time::Instant;

use serde_json::Value;

use super::eta::Laps;
use super::metrics::{self, Metrics};
use super::progress::Progress;
use super::report::{Page, State};
use super::verdicts::Verdicts;
use crate::flow::Fault;
use crate::stages::compute::{Report, Reports};
use crate::text;

/// The destinations of reports.
pub struct Recorder {
    /// Events on disk.
    pub metrics: Metrics,
    /// The terminal.
    pub progress: Progress,
    /// The run's bottlenecks.
    pub verdicts: Verdicts,
    /// The page, written after each evaluation.
    pub page: Page,
    /// Seconds of training before this process.
    pub elapsed_s: f64,
    /// Updates before this process.
    pub step: u64,
}

/// Listens until the end of data.
pub fn run(mut recorder: Recorder, reports: Reports) -> Result<(), Fault> {
    let start = Instant::now();
    let mut laps = Laps::start();
    recorder.verdicts.begin();
    while let Some(report) = reports.next()? {
        let seconds = laps.lap(&report);
        let mut images_per_s = 0.0;
        if let Report::Step { images, step, .. } = report {
            images_per_s = f64::from(images) / seconds.max(1e-9);
            recorder.step = step;
        }
        if let Report::Saving { step } = report {
            recorder.metrics.sync().map_err(Fault::failed)?;
            reports.keep(step)?;
            continue;
        }
        let elapsed = recorder.elapsed_s + start.elapsed().as_secs_f64();
        if let Some(event) = metrics::event(&report, elapsed, images_per_s) {
            recorder.write(&event)?;
        }
        recorder.progress.show(&report, seconds);
        if let Report::Eval { .. } = report
            && let Err(error) = recorder.page.write(State::Running)
        {
            tracing::warn!(path = %text::path(&recorder.page.path), %error, "the report could not be written");
        }
        recorder.changes(elapsed)?;
        if let Some(given) = recorder.verdicts.after(&report) {
            recorder.write(&metrics::verdict(&given, elapsed))?;
        }
    }
    if let Some(given) = recorder.verdicts.end() {
        let elapsed = recorder.elapsed_s + start.elapsed().as_secs_f64();
        recorder.write(&metrics::verdict(&given, elapsed))?;
    }
    recorder.metrics.sync().map_err(Fault::failed)?;
    recorder.progress.end();
    reports.finish();
    Ok(())
}

impl Recorder {
    fn write(&mut self, event: &Value) -> Result<(), Fault> {
        self.page.digest.take(event);
        self.metrics.write(event).map_err(Fault::failed)
    }

    /// Reports changed numbers of workers.
    fn changes(&mut self, elapsed: f64) -> Result<(), Fault> {
        while let Some(change) = self.verdicts.next_change() {
            self.write(&metrics::workers(&change, self.step, elapsed))?;
        }
        Ok(())
    }
}
