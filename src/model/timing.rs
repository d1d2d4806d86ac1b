//! Where the time of a step goes: the passes stop a clock after each piece of their work, if somebody wants to know.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Network;

/// What a piece of work computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Outputs from inputs.
    Forward,
    /// The gradient of the input.
    BackwardData,
    /// The gradients of weights and biases.
    BackwardWeights,
    /// The solver's step.
    Update,
}

impl Direction {
    /// The word for it in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::BackwardData => "backward_data",
            Self::BackwardWeights => "backward_weights",
            Self::Update => "update",
        }
    }
}

/// A piece of a step's work, and how long it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lap {
    /// The layers that it was done for: several where one pass does them together. The loss counts as the layer after
    /// the last.
    pub layers: Range<usize>,
    /// What was computed.
    pub direction: Direction,
    /// All of its time; of work that threads do side by side, the mean of theirs.
    pub time: Duration,
}

/// The laps of the steps since they were last taken.
#[derive(Debug, Default)]
pub(super) struct Timings(Mutex<Vec<Lap>>);

/// Runs while a pass does, or while one thread works on its part of one.
pub(super) struct Clock<'a> {
    /// `None` where nobody wants to know: then a lap is a test of this and nothing else.
    running: Option<(&'a Timings, Instant)>,
    threads: u32,
}

impl<'a> Clock<'a> {
    /// For work that `threads` threads share; each has its own clock.
    pub(super) fn start(timings: Option<&'a Timings>, threads: usize) -> Self {
        Self {
            running: timings.map(|timings| (timings, Instant::now())),
            threads: threads as u32,
        }
    }

    /// The time since the lap before was spent on this.
    pub(super) fn lap(&mut self, layers: Range<usize>, direction: Direction) {
        let Some((Timings(laps), since)) = &mut self.running else {
            return;
        };
        let now = Instant::now();
        let time = (now - *since) / self.threads;
        *since = now;
        let mut laps = laps.lock().unwrap_or_else(PoisonError::into_inner);
        match laps
            .iter_mut()
            .find(|lap| lap.direction == direction && lap.layers == layers)
        {
            Some(lap) => lap.time += time,
            None => laps.push(Lap {
                layers,
                direction,
                time,
            }),
        }
    }

    /// The time since the lap before is nobody's.
    pub(super) fn skip(&mut self) {
        if let Some((_, since)) = &mut self.running {
            *since = Instant::now();
        }
    }
}

impl Network {
    /// From now on the passes note how long each piece of their work takes.
    pub fn time_passes(&mut self) {
        self.timings = Some(Timings::default());
    }

    /// The laps since they were last taken, in the order of the work; equal pieces are one lap.
    pub fn take_laps(&mut self) -> Vec<Lap> {
        let timings = self.timings.as_mut().map(std::mem::take).unwrap_or_default();
        timings.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
