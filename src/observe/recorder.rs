//! The listener of a run: each report becomes an event on disk and a word on the terminal.

use std::time::Instant;

use super::metrics::{self, Metrics};
use super::progress::Progress;
use crate::flow::{Fault, Inlet};
use crate::stages::compute::Report;

/// Where reports go.
pub struct Recorder {
    /// Events on disk; none for `eval`.
    pub metrics: Option<Metrics>,
    /// The terminal.
    pub progress: Progress,
    /// Seconds of training before this process.
    pub elapsed_s: f64,
}

/// Listens until the end of data.
pub fn run(mut recorder: Recorder, reports: &Inlet<Report>) -> Result<(), Fault> {
    let start = Instant::now();
    let mut before = start;
    while let Some(report) = reports.next()? {
        let mut images_per_s = 0.0;
        if let Report::Step { images, .. } = report {
            let now = Instant::now();
            images_per_s = f64::from(images) / now.duration_since(before).as_secs_f64().max(1e-9);
            before = now;
        } else if let Report::EvalProgress { .. } | Report::Eval { .. } = report {
            // The time of an evaluation is not the next step's.
            before = Instant::now();
        }
        let elapsed = recorder.elapsed_s + start.elapsed().as_secs_f64();
        if let (Some(metrics), Some(event)) = (&mut recorder.metrics, metrics::event(&report, elapsed, images_per_s)) {
            metrics.write(&event).map_err(Fault::failed)?;
        }
        recorder.progress.show(&report, images_per_s);
    }
    recorder.progress.end();
    Ok(())
}
