//! A flow under construction, stage by stage.

use std::sync::Arc;

use super::{Stage, TUNE_EVERY, Topology};
use crate::flow::{ChannelGauge, Entrance, Fault, Gate, Inlet, Meter, Meters, Role, Stopwatch};
use crate::plan::Crew;

/// The function that a worker runs.
pub type Body = Box<dyn FnOnce() -> Result<(), Fault> + Send>;

/// The input of a stage, and what it waits for.
#[must_use]
pub struct Waits {
    role: Role,
    takes: Arc<ChannelGauge>,
    input: Vec<Arc<Stopwatch>>,
    room: Vec<Arc<Stopwatch>>,
    remedy: &'static str,
}

impl Waits {
    /// A stage that waits for the items of `inlet`.
    pub fn of<T>(role: Role, inlet: &Inlet<T>) -> Self {
        Self {
            role,
            takes: inlet.gauge(),
            input: vec![inlet.waits()],
            room: Vec::new(),
            remedy: "",
        }
    }

    /// A source, which always has something to do: all its waits are for later stages. `counts` counts its items.
    pub fn of_source(counts: Arc<ChannelGauge>) -> Self {
        Self {
            role: Role::Input,
            takes: counts,
            input: Vec::new(),
            room: Vec::new(),
            remedy: "",
        }
    }

    /// Adds a wait for input.
    pub fn input(mut self, waits: Arc<Stopwatch>) -> Self {
        self.input.push(waits);
        self
    }

    /// Adds a wait for later stages.
    pub fn room(mut self, waits: Arc<Stopwatch>) -> Self {
        self.room.push(waits);
        self
    }

    /// Sets what makes an item cheaper, for advice.
    pub fn remedy(mut self, remedy: &'static str) -> Self {
        self.remedy = remedy;
        self
    }
}

/// A flow under construction. Stages are added in the data's order.
pub struct Flow {
    stages: Vec<Stage>,
    channels: Vec<(&'static str, Arc<ChannelGauge>)>,
    meters: Meters,
}

impl Flow {
    /// A flow on a machine with `cores` cores.
    pub fn new(cores: usize) -> Self {
        Self {
            stages: Vec::new(),
            channels: Vec::new(),
            meters: Meters::new(cores),
        }
    }

    /// Counts images by the items that leave this channel.
    pub fn images(&mut self, channel: Arc<ChannelGauge>) {
        self.meters.images = Some(channel);
    }

    /// Adds a stage with one worker.
    pub fn one(&mut self, name: &'static str, waits: Waits, body: impl FnOnce() -> Result<(), Fault> + Send + 'static) {
        let running = self.meter(name, 1, None, waits, false);
        self.stage(name, vec![metered(running, body)]);
    }

    /// Adds a stage with the workers of `crew`. If not all of them start active, each is behind the stage's gate.
    pub fn many<F>(&mut self, name: &'static str, crew: Crew, waits: Waits, body: impl Fn(Option<Entrance>) -> F)
    where
        F: FnOnce() -> Result<(), Fault> + Send + 'static,
    {
        let gate = (crew.start < crew.max).then(|| Gate::new(crew.max, crew.start));
        let running = self.meter(name, crew.max, gate.clone(), waits, true);
        let entrance = |index| gate.as_ref().map(|gate| gate.entrance(index));
        let bodies = (0..crew.max).map(|index| metered(Arc::clone(&running), body(entrance(index))));
        self.stage(name, bodies.collect());
    }

    /// The flow, ready to start.
    pub fn finish(self) -> Topology {
        Topology {
            stages: self.stages,
            channels: self.channels,
            meters: Arc::new(self.meters),
            tune_every: TUNE_EVERY,
        }
    }

    fn stage(&mut self, name: &'static str, bodies: Vec<Body>) {
        self.stages.push(Stage { name, bodies });
    }

    fn meter(
        &mut self,
        name: &'static str,
        workers: usize,
        gate: Option<Arc<Gate>>,
        waits: Waits,
        can_widen: bool,
    ) -> Arc<Stopwatch> {
        let running = Arc::<Stopwatch>::default();
        self.channels.push((name, Arc::clone(&waits.takes)));
        self.meters.stages.push(Meter {
            name,
            role: waits.role,
            workers,
            remedy: waits.remedy,
            takes: waits.takes,
            input: waits.input,
            room: waits.room,
            running: Arc::clone(&running),
            can_widen,
            gate,
        });
        running
    }
}

/// A body whose running time is counted.
fn metered(running: Arc<Stopwatch>, body: impl FnOnce() -> Result<(), Fault> + Send + 'static) -> Body {
    Box::new(move || {
        let _alive = running.enter();
        body()
    })
}
