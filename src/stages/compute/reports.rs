//! The listener's end of a run's reports.
//!
//! Invariant: a checkpoint gets its name only after the listener has confirmed that all earlier reports are on the disk. A
//! lost listener confirms nothing, so there is no such checkpoint either.

use crate::flow::fault::{DownstreamGone, UpstreamLost};
use crate::flow::{Fault, Inlet, Outlet};
use crate::stages::messages::Report;

/// A run's reports, and the channel for confirmations.
pub struct Reports {
    /// From compute and save.
    pub reports: Inlet<Report>,
    /// To save: the step up to which everything is on the disk.
    pub kept: Outlet<u64>,
}

impl Reports {
    /// The next report; `Ok(None)` at the end.
    pub fn next(&self) -> Result<Option<Report>, UpstreamLost> {
        self.reports.next()
    }

    /// Answers [`Report::Saving`]: all earlier reports are on the disk.
    pub fn keep(&self, step: u64) -> Result<(), DownstreamGone> {
        self.kept.send(step)
    }

    /// Ends listening, after the last report.
    pub fn finish(self) {
        self.kept.finish();
    }

    /// Listens to the end without storing anything. `see` is called with every report.
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
