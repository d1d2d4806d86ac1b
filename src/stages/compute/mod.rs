//! compute: runs training steps and evaluations, batch by batch, on asynchronous devices.
//! upstream: staging · downstream: the devices, save, and the listener to reports
//!
//! All devices get the same work in the same order. An outcome is complete when each device has returned its part.
//!
//! Invariant: a checkpoint holds the state after the outcomes of all work submitted so far. No checkpoint is made of a step
//! whose loss was not finite.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::config::solver::Solver;
use crate::flow::{Fault, Inlet, Outlet, Stop};
use crate::model::solver::{Progress, Rates};
use crate::ops::softmax::Loss;
use crate::stages::Sets;
use crate::stages::messages::{Batch, Header, Phase, RowFact, Save, Snapshot};
use crate::stages::source::Itinerary;

mod bad;
mod device;
mod error;
mod evaluation;
mod phases;
mod reports;
mod saving;
mod trained;

pub use device::{DeviceChannels, LaunchChannels, Outcome, Submitted, Work, follow, launch, run as run_device};
pub use error::ComputeError;
pub use evaluation::Evaluation;
pub use reports::Reports;

pub use crate::stages::messages::{Evaluated, Report};
pub use crate::stages::state::{RunState, Score, SenselessState};

/// How many batches may be on the device at a time: one being computed, one waiting.
pub const IN_FLIGHT: usize = 2;

/// The settings and the state of the compute stage.
pub struct Compute {
    /// Which batches the run has.
    pub itinerary: Itinerary,
    /// The solver's settings.
    pub solver: Solver,
    /// The rate of each parameter at each step.
    pub rates: Rates,
    /// Steps between two checkpoints; 0 if nothing is saved (`eval`).
    pub every_steps: u64,
    /// How many distinct bad samples are allowed.
    pub bad_images_max: u32,
    /// The names of skipped samples come from here.
    pub data: Sets,
    /// The state of the run.
    pub state: RunState,
    /// Stream hashes of the steps that an interrupted run did after its last checkpoint: they must be the same this time.
    pub expected: VecDeque<(u64, u64)>,
}

/// The compute stage's ends of the channels to and from one device.
pub struct DeviceLink {
    /// To the device.
    pub work: Outlet<Work>,
    /// From the device.
    pub outcomes: Inlet<Outcome>,
}

/// The channels of the compute stage.
pub struct Channels {
    /// From staging.
    pub batches: Inlet<Batch>,
    /// In rank order.
    pub devices: Vec<DeviceLink>,
    /// To the writer of checkpoints.
    pub saves: Outlet<Save>,
    /// The snapshot buffer, returned by the writer.
    pub spare: Inlet<Snapshot>,
    /// To the listener.
    pub reports: Outlet<Report>,
}

/// Submitted work whose outcome has not arrived yet.
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
    /// Bad samples that first appeared in the current evaluation.
    met_in_evaluation: Vec<u32>,
}

/// Trains and evaluates until the end of data, or until a stop is requested: then the current step is finished and saved.
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
    /// The next batch. Takes outcomes while there is none, so that reports never wait for the input.
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
            self.end_phase(&header)?;
        } else if phase == Phase::Train && self.is_due(step) {
            self.settle()?;
            self.save(false)?;
        }
        Ok(())
    }

    /// Submitted training steps whose outcome has not arrived yet.
    fn training(&self) -> u64 {
        self.pending
            .iter()
            .filter(|pending| pending.header.position.phase == Phase::Train)
            .count() as u64
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

    /// Waits for the outcomes of all submitted work.
    fn settle(&mut self) -> Result<(), Fault> {
        while !self.pending.is_empty() {
            self.attend()?;
        }
        Ok(())
    }

    /// Sends the same work to all devices. Nothing of it is kept here: the last device to drop a batch returns its slot.
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
}
