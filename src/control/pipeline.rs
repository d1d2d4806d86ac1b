//! Any fault ends the whole flow. The pipeline waits for all stages and then reports the cause.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, Handler};
use tokio::sync::oneshot;

use super::OnFault;
use super::every::every;
use super::hold::Hold;
use super::messages::{FaultFound, StageEnded};
use super::stage::StageActor;
use crate::flow::{ChannelGauge, Exit, Fault, Meters, Reading, Stop, Verdict};
use crate::topology::Topology;

/// How often the pipeline checks for progress.
const TICK: Duration = Duration::from_secs(1);

/// How a flow ended.
#[derive(Debug)]
pub enum Ending {
    /// At the end of data.
    Finished,
    /// On request, everything saved.
    Stopped,
    /// By a fault of the named stage.
    Faulted {
        /// The stage.
        stage: &'static str,
        /// What happened there.
        exit: Exit,
    },
    /// Nothing has moved for too long. Threads cannot be ended from outside, only the process can.
    Stalled {
        /// The stage that has work but does not finish it.
        stage: &'static str,
    },
    /// The control plane itself failed.
    ControlLost,
}

/// Supervises all stages, and watches for progress.
pub(super) struct PipelineActor {
    topology: Option<Topology>,
    channels: Vec<(&'static str, Arc<ChannelGauge>)>,
    meters: Arc<Meters>,
    stages: usize,
    cause: Option<(&'static str, Exit)>,
    stop: Stop,
    stall_after: Duration,
    /// Items that had passed all channels at the last tick, and for how many ticks that number has not changed. Counts ticks
    /// instead of reading a clock, because a stopped process has not stalled.
    passed: u64,
    still: u32,
    /// The reading when something last moved.
    moved: Option<Reading>,
    on_fault: OnFault,
    outcome: Option<oneshot::Sender<Ending>>,
    hold: Hold<Self>,
}

impl PipelineActor {
    pub(super) fn new(
        topology: Topology,
        stop: Stop,
        stall_after: Duration,
        on_fault: OnFault,
        outcome: oneshot::Sender<Ending>,
    ) -> Self {
        Self {
            channels: topology.channels.clone(),
            meters: Arc::clone(&topology.meters),
            stages: topology.stages.len(),
            topology: Some(topology),
            cause: None,
            stop,
            stall_after,
            passed: 0,
            still: 0,
            moved: None,
            on_fault,
            outcome: Some(outcome),
            hold: Hold::default(),
        }
    }

    fn end(&mut self, ending: Ending) {
        if let Some(outcome) = self.outcome.take() {
            // Nobody listens only when the process is ending anyway.
            let _ = outcome.send(ending);
        }
        self.hold.release();
    }

    /// Compares the items that have passed all channels with their number at the last tick.
    fn look_for_stall(&mut self) {
        let passed = self
            .channels
            .iter()
            .map(|(_, channel)| channel.sent() + channel.received())
            .sum();
        let Some(moved) = self.moved.as_ref().filter(|_| passed == self.passed) else {
            (self.passed, self.still) = (passed, 0);
            self.moved = Some(self.meters.read());
            return;
        };
        self.still += 1;
        if TICK * self.still > self.stall_after {
            // While nothing moves, the stage that waits neither for items nor for room is stuck in its own work.
            let stage = Verdict::new(moved, &self.meters.read()).map_or("source", |verdict| verdict.stage);
            self.end(Ending::Stalled { stage });
        }
    }
}

impl Actor for PipelineActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        let Some(topology) = self.topology.take() else { return };
        self.hold.take(context);
        for stage in topology.stages {
            StageActor::new(stage, context.address()).start();
        }
        every(context, TICK, Self::look_for_stall);
    }
}

impl Handler<FaultFound> for PipelineActor {
    type Result = ();

    fn handle(&mut self, FaultFound { stage, exit }: FaultFound, _: &mut Self::Context) {
        let known = self.cause.as_ref().map_or(0, |(_, exit)| exit.severity());
        if exit.severity() > known {
            // Losses are consequences: only causes are reported at once.
            if exit.is_cause() {
                (self.on_fault)(stage, &exit);
                // No new work is started. The work in progress ends with the current step.
                self.stop.request();
            }
            self.cause = Some((stage, exit));
        }
    }
}

impl Handler<StageEnded> for PipelineActor {
    type Result = ();

    fn handle(&mut self, _: StageEnded, _: &mut Self::Context) {
        self.stages -= 1;
        if self.stages > 0 {
            return;
        }
        let ending = match self.cause.take() {
            Some((stage, exit))
                if exit.severity() > Exit::Faulted(Fault::Aborted).severity() || !self.stop.is_requested() =>
            {
                Ending::Faulted { stage, exit }
            }
            _ if self.stop.is_requested() => Ending::Stopped,
            _ => Ending::Finished,
        };
        self.end(ending);
    }
}
