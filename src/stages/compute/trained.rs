//! What follows a training step.

use super::{ComputeError, Pending, Run};
use crate::flow::Fault;
use crate::ops::softmax::Loss;
use crate::stages::messages::Report;

impl Run {
    /// Updates the state after a step, and reports it.
    pub(super) fn trained(&mut self, pending: &Pending, loss: Loss) -> Result<(), Fault> {
        let &Pending {
            step,
            lr,
            stream,
            header,
            ..
        } = pending;
        let epoch = header.position.epoch;
        if !loss.sum.is_finite() {
            return Err(Fault::failed(ComputeError::NotFinite {
                step,
                epoch,
                loss: loss.mean(),
                lr,
            }));
        }
        self.check_stream(step, stream)?;
        let state = &mut self.compute.state;
        state.step = step;
        state.stream = stream;
        state.position = header.position;
        state.position.batch += 1;
        let report = Report::Step {
            step,
            epoch,
            batch: header.position.batch,
            loss: loss.mean(),
            top1_error: loss.top1_error(),
            lr,
            images: loss.present,
            stream,
        };
        Ok(self.channels.reports.send(report)?)
    }

    /// A step that the interrupted run had done must have the same samples.
    fn check_stream(&mut self, step: u64, stream: u64) -> Result<(), Fault> {
        let expected = &mut self.compute.expected;
        while expected.front().is_some_and(|(expected, _)| *expected < step) {
            expected.pop_front();
        }
        match expected.front() {
            Some(&(at, expected)) if at == step && expected != stream => {
                Err(Fault::failed(ComputeError::StreamDiffers { step }))
            }
            _ => Ok(()),
        }
    }
}
