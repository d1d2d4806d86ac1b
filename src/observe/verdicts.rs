//! When verdicts are given: at the end of each epoch's training. They cover that training, without the evaluations between.

use std::sync::{Arc, OnceLock};

use crate::flow::meter::Change;
use crate::flow::{Meters, Reading, Verdict};
use crate::stages::compute::Report;
use crate::stages::messages::Phase;
use crate::stages::source::Itinerary;

/// The meters of a flow that may not be built yet, because the listener is part of it.
pub type LateMeters = Arc<OnceLock<Arc<Meters>>>;

/// Takes readings at the beginning and the end of a window.
pub struct Verdicts {
    meters: LateMeters,
    itinerary: Itinerary,
    from: Option<Reading>,
    /// Images trained on since then. The meters count images as they are read, some batches ahead.
    images: u64,
    /// Epoch and number of the newest step, if no verdict was given since.
    newest: Option<(u32, u64)>,
}

/// A verdict, and when it was given.
pub struct Given {
    /// Its epoch, from 0.
    pub epoch: u32,
    /// Updates so far.
    pub step: u64,
    /// The bottleneck.
    pub verdict: Verdict,
}

impl Verdicts {
    /// Verdicts for a run along `itinerary`.
    pub fn new(meters: LateMeters, itinerary: Itinerary) -> Self {
        Self {
            meters,
            itinerary,
            from: None,
            images: 0,
            newest: None,
        }
    }

    /// Begins a window.
    pub fn begin(&mut self) {
        self.from = self.meters.get().map(|meters| meters.read());
        self.images = 0;
    }

    /// The verdict, if `report` ends the training of an epoch.
    pub fn after(&mut self, report: &Report) -> Option<Given> {
        match *report {
            Report::Step {
                step,
                epoch,
                batch,
                images,
                ..
            } => {
                self.newest = Some((epoch, step));
                self.images += u64::from(images);
                let is_last = batch + 1 == self.itinerary.batches(epoch, Phase::Train);
                is_last.then(|| self.end()).flatten()
            }
            Report::Eval { .. } => {
                self.begin();
                None
            }
            _ => None,
        }
    }

    /// The verdict on the training since the previous one, if there was any.
    pub fn end(&mut self) -> Option<Given> {
        let (epoch, step) = self.newest.take()?;
        let (from, images) = (self.from.take()?, self.images);
        self.begin();
        let to = Reading {
            images: from.images + images,
            ..self.from.clone()?
        };
        let verdict = Verdict::new(&from, &to)?;
        Some(Given { epoch, step, verdict })
    }

    /// The oldest change of a number of workers that was not reported yet.
    pub fn next_change(&self) -> Option<Change> {
        self.meters.get()?.next_change()
    }
}
