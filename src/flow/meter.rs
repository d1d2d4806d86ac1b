//! How every stage spends its time: busy, waiting for input, or waiting for room. Read while the flow runs.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::cpu_time::cpu_time;
use super::gate::Gate;
use super::gauge::ChannelGauge;
use super::stopwatch::Stopwatch;

/// A stage's role in the flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It prepares batches for the device.
    Input,
    /// It gives the device its work.
    Driver,
    /// It computes.
    Device,
    /// It takes the results.
    Output,
}

/// The counters of one stage.
#[derive(Clone, Debug)]
pub struct Meter {
    /// The stage.
    pub name: &'static str,
    /// Its role in the flow.
    pub role: Role,
    /// Workers that were started, including parked ones.
    pub workers: usize,
    /// What makes an item cheaper, for advice; empty if there is nothing.
    pub remedy: &'static str,
    /// The channel whose items count as this stage's.
    pub takes: Arc<ChannelGauge>,
    /// Waits for input.
    pub input: Vec<Arc<Stopwatch>>,
    /// Waits for later stages: for room in a channel, or for a buffer or slot to return.
    pub room: Vec<Arc<Stopwatch>>,
    /// Workers that are alive.
    pub running: Arc<Stopwatch>,
    /// The gate, if not all of its workers need to take part.
    pub gate: Option<Arc<Gate>>,
    /// Whether it may have any number of workers.
    pub can_widen: bool,
}

/// The totals of one stage since the flow was made.
#[derive(Clone, Copy, Debug)]
pub struct StageReading {
    /// The stage.
    pub name: &'static str,
    /// Its role in the flow.
    pub role: Role,
    /// Workers that were started, including parked ones.
    pub workers: usize,
    /// Workers that may take items at this moment.
    pub open: usize,
    /// Whether their number changes while the flow runs.
    pub has_gate: bool,
    /// Whether it may have any number of workers.
    pub can_widen: bool,
    /// What makes an item cheaper.
    pub remedy: &'static str,
    /// Items taken.
    pub items: u64,
    /// Time that its workers were alive.
    pub running: Duration,
    /// Time that they were parked.
    pub parked: Duration,
    /// Time that they waited for input.
    pub input_wait: Duration,
    /// Time that they waited for room.
    pub room_wait: Duration,
}

/// The totals of a flow at one moment.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Since the flow was made.
    pub at: Duration,
    /// Processor time of the process.
    pub cpu: Duration,
    /// Cores that the process may use.
    pub cores: usize,
    /// Images that the input has begun.
    pub images: u64,
    /// In the data's order.
    pub stages: Vec<StageReading>,
}

/// A stage was given one worker more or fewer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The stage.
    pub stage: &'static str,
    /// Workers before.
    pub from: usize,
    /// Workers from now on.
    pub to: usize,
    /// Why.
    pub reason: String,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Change {
            stage,
            from,
            to,
            reason,
        } = self;
        write!(f, "{stage} workers {from} → {to}: {reason}")
    }
}

/// How many changes are kept until they are reported; further ones are only logged.
const CHANGES_MAX: usize = 64;

/// The meters of a flow.
#[derive(Debug)]
pub struct Meters {
    /// In the data's order.
    pub stages: Vec<Meter>,
    /// Counts an image when the input starts on it.
    pub images: Option<Arc<ChannelGauge>>,
    /// Cores that the process may use.
    pub cores: usize,
    made: Instant,
    changes: Mutex<VecDeque<Change>>,
}

impl Meters {
    /// The meters of a flow without stages, on a machine with `cores` cores.
    pub fn new(cores: usize) -> Self {
        Self {
            stages: Vec::new(),
            images: None,
            cores,
            made: Instant::now(),
            changes: Mutex::default(),
        }
    }

    /// The totals at this moment, including waits that have not ended yet.
    pub fn read(&self) -> Reading {
        let now = Instant::now();
        Reading {
            at: now.duration_since(self.made),
            cpu: cpu_time(),
            cores: self.cores,
            images: self.images.as_ref().map_or(0, |channel| channel.received()),
            stages: self.stages.iter().map(|meter| meter.read(now)).collect(),
        }
    }

    /// Keeps a change until it is reported.
    pub fn note(&self, change: Change) {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        if changes.len() < CHANGES_MAX {
            changes.push_back(change);
        }
    }

    /// The oldest change that was not reported yet.
    pub fn next_change(&self) -> Option<Change> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

impl Meter {
    fn read(&self, now: Instant) -> StageReading {
        let sum = |waits: &[Arc<Stopwatch>]| waits.iter().map(|wait| wait.total(now)).sum();
        StageReading {
            name: self.name,
            role: self.role,
            workers: self.workers,
            open: self.gate.as_ref().map_or(self.workers, |gate| gate.open()),
            has_gate: self.gate.is_some(),
            can_widen: self.can_widen,
            remedy: self.remedy,
            items: self.takes.received(),
            running: self.running.total(now),
            parked: self.gate.as_ref().map_or(Duration::ZERO, |gate| gate.parked(now)),
            input_wait: sum(&self.input),
            room_wait: sum(&self.room),
        }
    }
}
