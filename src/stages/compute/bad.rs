//! Refused samples: each is reported once, and counted.

use super::{ComputeError, Run};
use crate::flow::Fault;
use crate::stages::messages::{Batch, Phase, Report};

impl Run {
    /// Reports bad samples the first time they appear, and ends the run if there are too many.
    pub(super) fn note_bad(&mut self, batch: &Batch) -> Result<(), Fault> {
        let phase = batch.header.position.phase;
        for fact in &batch.facts {
            let Some(reason) = &fact.refused else { continue };
            let sample = self.compute.data.of(phase).id(fact.sample as usize).raw();
            if !self.compute.state.bad.insert((phase, fact.sample)) {
                continue;
            }
            if phase == Phase::Evaluate {
                self.met_in_evaluation.push(fact.sample);
            }
            let step = self.compute.state.step + self.training() + u64::from(phase == Phase::Train);
            self.channels.reports.send(Report::Skip {
                step,
                sample: sample.clone(),
                reason: reason.to_string(),
            })?;
            let max = self.compute.bad_images_max;
            if self.compute.state.bad.len() > max as usize {
                let reason = reason.to_string();
                return Err(Fault::failed(ComputeError::TooManyBad { max, sample, reason }));
            }
        }
        Ok(())
    }

    /// An interrupted evaluation is repeated from the start, and will meet its bad samples again.
    pub(super) fn forget_evaluation(&mut self) {
        for sample in self.met_in_evaluation.drain(..) {
            self.compute.state.bad.remove(&(Phase::Evaluate, sample));
        }
    }
}
