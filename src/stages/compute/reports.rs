//! The listener's end of a run's reports.
//!
//! Invariant: a checkpoint gets its name only after whoever listens has said that what was reported before it is kept. A
//! listener that is lost says nothing: then there is no such checkpoint either.

use crate::flow::fault::{DownstreamGone, UpstreamLost};
use crate::flow::{Fault, Inlet, Outlet};
use crate::stages::messages::Report;

/// What a run tells, and the way back.
pub struct Reports {
    /// From compute and save.
    pub reports: Inlet<Report>,
    /// To save: the step before which everything is kept.
    pub kept: Outlet<u64>,
}

impl Reports {
    /// The next report; `Ok(None)` at the end.
    pub fn next(&self) -> Result<Option<Report>, UpstreamLost> {
        self.reports.next()
    }

    /// Answers [`Report::Saving`]: all that was reported before it is kept.
    pub fn keep(&self, step: u64) -> Result<(), DownstreamGone> {
        self.kept.send(step)
    }

    /// Ends the listening, at the end of the reports.
    pub fn finish(self) {
        self.kept.finish();
    }

    /// Listens to the end without keeping anything; `see` is shown every report.
    pub fn pass(self, mut see: impl FnMut(&Report)) -> Result<(), Fault> {
        while let Some(report) = self.next()? {
            see(&report);
            if let Report::Saving { step } = report {
                self.keep(step)?;
            }
        }
        self.finish();
        Ok(())
    }
}
