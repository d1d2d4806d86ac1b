//! Copies of everything, for checkpoints.

use super::{ComputeError, Outcome, Run, Work};
use crate::flow::Fault;
use crate::stages::messages::{Report, Save};

impl Run {
    pub(super) fn is_due(&self, step: u64) -> bool {
        self.compute.every_steps > 0 && step.is_multiple_of(self.compute.every_steps)
    }

    /// Sends a copy of everything to the writer. Waits while the previous write is pending.
    pub(super) fn save(&mut self, is_best: bool) -> Result<(), Fault> {
        if self.compute.every_steps == 0 {
            return Ok(());
        }
        let Some(mut snapshot) = self.channels.spare.next()? else {
            return Err(Fault::Aborted);
        };
        // It passes through all devices: each copies its part.
        for device in &self.channels.devices {
            device.work.send(Work::Copy(snapshot))?;
            let Some(Outcome::Copied(copied)) = device.outcomes.next()? else {
                return Err(Fault::Aborted);
            };
            snapshot = copied;
        }
        let state = self.compute.state.clone();
        if let Some(parameter) = snapshot.iter().find(|p| !p.value.iter().all(|value| value.is_finite())) {
            let name = parameter.name.clone();
            return Err(Fault::failed(ComputeError::WeightNotFinite { step: state.step, name }));
        }
        // Sent before the checkpoint, so that all earlier reports precede it.
        self.channels.reports.send(Report::Saving { step: state.step })?;
        Ok(self.channels.saves.send(Save {
            snapshot,
            state,
            is_best,
        })?)
    }
}
