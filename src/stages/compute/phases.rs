//! What follows the last batch of a phase.

use super::{Evaluation, Run};
use crate::flow::Fault;
use crate::model::solver::Plateau;
use crate::stages::messages::{Header, Phase, Report};
use crate::stages::state::Score;

impl Run {
    /// The last batch of a phase was submitted: waits for its outcome, then moves on to the next phase.
    pub(super) fn end_phase(&mut self, header: &Header) -> Result<(), Fault> {
        self.settle()?;
        let state = &mut self.compute.state;
        state.finished = header.end_of_run;
        state.position = self.compute.itinerary.after(header.position);
        match header.position.phase {
            Phase::Train if state.finished || self.is_due(self.compute.state.step) => self.save(false),
            Phase::Train => Ok(()),
            Phase::Evaluate => self.end_evaluation(header),
        }
    }

    fn end_evaluation(&mut self, header: &Header) -> Result<(), Fault> {
        let way = &self.compute.itinerary;
        let result = self.evaluation.finish(self.compute.state.step).map_err(Fault::failed)?;
        self.met_in_evaluation.clear();
        self.evaluation = Evaluation::new(self.compute.state.classes.len(), way.views);
        let state = &mut self.compute.state;
        let found = Score {
            step: state.step,
            top1_error: result.top1_error,
            top5_error: result.top5_error,
        };
        let is_best = state.best.is_none_or(|best| found.top1_error < best.top1_error);
        state.newest = Some(found);
        if is_best {
            state.best = Some(found);
        }
        let (step, epoch, crops) = (state.step, header.position.epoch, way.views);
        let mut lowered = None;
        if let Some(mut plateau) = Plateau::new(&self.compute.solver.schedule, state.plateau) {
            lowered = plateau.observe(result.top1_error);
            state.plateau = plateau.state;
        }
        self.channels.reports.send(Report::Eval {
            step,
            epoch,
            result,
            crops,
            is_best,
        })?;
        if let Some(factor) = lowered {
            self.channels.reports.send(Report::Plateau { step, factor })?;
        }
        self.save(is_best)
    }
}
