//! Reads the meters periodically, and opens or closes the gates of stages whose number of workers is not fixed.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Context};

use super::every::every;
use super::tuning::Tuning;
use crate::flow::Meters;

/// Takes readings and carries out what [`Tuning`] decides. It never touches the data.
pub(super) struct TunerActor {
    meters: Arc<Meters>,
    tuning: Tuning,
    every: Duration,
}

impl TunerActor {
    /// `None` if the number of workers is fixed in all stages.
    pub(super) fn new(meters: &Arc<Meters>, every: Duration) -> Option<Self> {
        meters.stages.iter().any(|stage| stage.gate.is_some()).then(|| Self {
            meters: Arc::clone(meters),
            tuning: Tuning::default(),
            every,
        })
    }

    fn look(&mut self) {
        let Some(change) = self.tuning.look(self.meters.read()) else {
            return;
        };
        let stage = self.meters.stages.iter().find(|stage| stage.name == change.stage);
        let Some(gate) = stage.and_then(|stage| stage.gate.as_ref()) else {
            return;
        };
        gate.set_open(change.to);
        tracing::info!("{change}");
        self.meters.note(change);
    }
}

impl Actor for TunerActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        self.look();
        every(context, self.every, Self::look);
    }
}
