//! compute: training steps and evaluation, batch by batch, on devices that work asynchronously.
//! upstream: staging · downstream: the devices' replicas, save, and whoever listens to reports
//!
//! Every device gets the same work in the same order; an outcome is whole when each of them has given its part.
//!
//! Invariant: the state that goes into a checkpoint is that after every outcome of the work submitted so far, and no
//! checkpoint is made of a step whose loss was not finite.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::config::solver::Solver;
use crate::flow::{Fault, Inlet, Outlet, Stop};
use crate::model::solver::{Plateau, Progress, Rates};
use crate::ops::softmax::Loss;
use crate::stages::Sets;
use crate::stages::messages::{Batch, Header, Phase, RowFact};
use crate::stages::save::{Save, Snapshot};
use crate::stages::source::Itinerary;

mod bad;
mod error;
mod evaluation;
mod replica;
mod report;
mod reports;
mod state;

pub use error::ComputeError;
pub use evaluation::{Evaluated, Evaluation};
pub use replica::{DeviceChannels, End, Outcome, Peers, Replica, Targets, Work, run as run_replica};
pub use report::Report;
pub use reports::Reports;
pub use state::{RunState, Score, SenselessState};

/// Batches that may be on the device at a time: one under computation, one waiting.
pub const IN_FLIGHT: usize = 2;

/// What the compute stage knows.
pub struct Compute {
    /// The run's way.
    pub itinerary: Itinerary,
    /// How the network learns.
    pub solver: Solver,
    /// One for each parameter, by step.
    pub rates: Rates,
    /// Steps between two checkpoints; 0 where nothing is saved (`eval`).
    pub every_steps: u64,
    /// How many different bad samples are too many.
    pub bad_images_max: u32,
    /// For the names of skipped samples.
    pub data: Sets,
    /// Where the run stands.
    pub state: RunState,
    /// Stream hashes of steps that an interrupted run did after its last checkpoint: they must come again.
    pub expected: VecDeque<(u64, u64)>,
}

/// The channels between the compute stage and one device.
pub struct Device {
    /// To it.
    pub work: Outlet<Work>,
    /// From it.
    pub outcomes: Inlet<Outcome>,
}

/// The channels of the compute stage.
pub struct Channels {
    /// From staging.
    pub batches: Inlet<Batch>,
    /// In the order of the ranks.
    pub devices: Vec<Device>,
    /// To the writer of checkpoints.
    pub saves: Outlet<Save>,
    /// The snapshot buffer, back from the writer.
    pub spare: Inlet<Snapshot>,
    /// To whoever listens.
    pub reports: Outlet<Report>,
}

/// Work whose outcome is still to come.
struct Pending {
    header: Header,
    facts: Vec<RowFact>,
    stream: u64,
    step: u64,
    lr: f32,
}

struct Run {
    compute: Compute,
    channels: Channels,
    pending: VecDeque<Pending>,
    evaluation: Evaluation,
    /// Bad samples that were first met in the evaluation under way.
    met_in_evaluation: Vec<u32>,
}

/// Trains and evaluates until the end of data, or until told to stop: then the step is finished and saved.
pub fn run(compute: Compute, channels: Channels, stop: &Stop) -> Result<(), Fault> {
    let evaluation = Evaluation::new(compute.state.classes.len(), compute.itinerary.views);
    let mut run = Run {
        compute,
        channels,
        pending: VecDeque::new(),
        evaluation,
        met_in_evaluation: Vec::new(),
    };
    if run.compute.state.step == 0 {
        run.save(false)?;
    }
    let mut stopped = false;
    loop {
        if stop.is_requested() && !stopped {
            run.settle()?;
            run.forget_evaluation();
            run.save(false)?;
            stopped = true;
        }
        let Some(batch) = run.next_batch()? else { break };
        if stopped {
            run.send(Work::Discard(Arc::new(batch)))?;
        } else {
            run.submit(batch)?;
        }
    }
    run.settle()?;
    let Channels {
        devices,
        saves,
        reports,
        ..
    } = run.channels;
    devices.into_iter().for_each(|device| device.work.finish());
    saves.finish();
    reports.finish();
    Ok(())
}

impl Run {
    /// The next batch; outcomes are attended to while there is none, so that reports never wait for the input.
    fn next_batch(&mut self) -> Result<Option<Batch>, Fault> {
        loop {
            if let Some(batch) = self.channels.batches.ready()? {
                return Ok(Some(batch));
            }
            if self.pending.is_empty() {
                return Ok(self.channels.batches.next()?);
            }
            self.attend()?;
        }
    }

    fn submit(&mut self, batch: Batch) -> Result<(), Fault> {
        let span = tracing::trace_span!("compute", batch = batch.header.serial);
        let _entered = span.enter();
        while self.pending.len() >= IN_FLIGHT {
            self.attend()?;
        }
        self.note_bad(&batch)?;
        let header = batch.header;
        let mut pending = Pending {
            header,
            facts: Vec::new(),
            stream: batch.stream,
            step: self.compute.state.step,
            lr: 0.0,
        };
        match header.position.phase {
            Phase::Train => {
                let step = self.compute.state.step + self.training();
                let rates = self
                    .compute
                    .rates
                    .at(self.progress(step), self.compute.state.plateau.factor)
                    .into();
                pending.lr = self.learning_rate(step);
                pending.step = step + 1;
                let batch = Arc::new(batch);
                self.send(Work::Train { batch, step, rates })?;
            }
            Phase::Evaluate => {
                pending.facts.clone_from(&batch.facts);
                self.send(Work::Evaluate(Arc::new(batch)))?;
            }
        }
        let (step, phase) = (pending.step, header.position.phase);
        self.pending.push_back(pending);
        if header.last {
            self.end_part(&header)?;
        } else if phase == Phase::Train && self.is_due(step) {
            self.settle()?;
            self.save(false)?;
        }
        Ok(())
    }

    /// Training steps submitted whose outcome is still to come.
    fn training(&self) -> u64 {
        self.pending
            .iter()
            .filter(|pending| pending.header.position.phase == Phase::Train)
            .count() as u64
    }

    fn is_due(&self, step: u64) -> bool {
        self.compute.every_steps > 0 && step.is_multiple_of(self.compute.every_steps)
    }

    fn progress(&self, done: u64) -> Progress {
        let way = &self.compute.itinerary;
        Progress {
            done,
            steps_per_epoch: u64::from(way.steps_per_epoch()),
            total_steps: way.steps,
        }
    }

    fn learning_rate(&self, step: u64) -> f32 {
        let factor = self.compute.state.plateau.factor;
        crate::model::solver::learning_rate(&self.compute.solver, self.progress(step), factor)
    }

    /// The last batch of a phase is on its way: waits for it, then turns to what follows.
    fn end_part(&mut self, header: &Header) -> Result<(), Fault> {
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

    /// Waits for the outcome of everything submitted.
    fn settle(&mut self) -> Result<(), Fault> {
        while !self.pending.is_empty() {
            self.attend()?;
        }
        Ok(())
    }

    /// Gives every device the same to do. None of it is kept here: the last device to let go of a batch has its slot.
    fn send(&self, work: Work) -> Result<(), Fault> {
        let Some((last, others)) = self.channels.devices.split_last() else {
            return Err(Fault::Aborted);
        };
        for device in others {
            device.work.send(work.clone())?;
        }
        Ok(last.work.send(work)?)
    }

    /// Takes the oldest outcome.
    fn attend(&mut self) -> Result<(), Fault> {
        let Some(pending) = self.pending.pop_front() else {
            return Err(Fault::Aborted);
        };
        let (mut loss, mut probabilities) = (Loss::default(), Vec::new());
        for device in &self.channels.devices {
            match device.outcomes.next()? {
                Some(Outcome::Trained(part)) => loss = loss.and(part),
                Some(Outcome::Evaluated(part)) if probabilities.is_empty() => probabilities = part,
                Some(Outcome::Evaluated(part)) => probabilities.extend(part),
                Some(Outcome::Copied(_)) | None => return Err(Fault::Aborted),
            }
        }
        let position = pending.header.position;
        if position.phase == Phase::Train {
            return self.trained(&pending, loss);
        }
        self.evaluation.add(&pending.facts, &probabilities);
        let done = position.batch + 1;
        let of = self.compute.itinerary.batches(position.epoch, Phase::Evaluate);
        Ok(self.channels.reports.send(Report::EvalProgress { done, of })?)
    }

    fn trained(&mut self, pending: &Pending, loss: Loss) -> Result<(), Fault> {
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
        while self
            .compute
            .expected
            .front()
            .is_some_and(|(expected, _)| *expected < step)
        {
            self.compute.expected.pop_front();
        }
        if let Some(&(at, expected)) = self.compute.expected.front()
            && at == step
            && expected != stream
        {
            return Err(Fault::failed(ComputeError::StreamDiffers { step }));
        }
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

    /// Hands a copy of everything to the writer; waits while the write before is pending.
    fn save(&mut self, is_best: bool) -> Result<(), Fault> {
        if self.compute.every_steps == 0 {
            return Ok(());
        }
        let Some(mut snapshot) = self.channels.spare.next()? else {
            return Err(Fault::Aborted);
        };
        // It goes round: each device puts in what it has.
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
        // Before the checkpoint itself, so that it is in the reports' order.
        self.channels.reports.send(Report::Saving { step: state.step })?;
        Ok(self.channels.saves.send(Save {
            snapshot,
            state,
            is_best,
        })?)
    }
}
