//! One for all: any fault ends the whole flow. The pipeline waits for every stage and then says what the cause was.

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

/// How often the pipeline looks at what has passed.
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
    /// Nothing has moved for too long. Its threads cannot be ended: only the process can.
    Stalled {
        /// The stage that has work and does not do it.
        stage: &'static str,
    },
    /// The control plane itself failed.
    ControlLost,
}

/// Knows every stage, and how much has moved.
pub(super) struct PipelineActor {
    topology: Option<Topology>,
    channels: Vec<(&'static str, Arc<ChannelGauge>)>,
    meters: Arc<Meters>,
    stages: usize,
    cause: Option<(&'static str, Exit)>,
    stop: Stop,
    stall_after: Duration,
    /// What had passed all channels at the last tick, and for how many ticks that has not changed. Ticks and not a clock: a
    /// process that is halted does not tick, and has not stalled.
    passed: u64,
    still: u32,
    /// Taken when something moved last.
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

    /// Compares what has passed the channels with a second ago.
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
            // While nothing moves, whoever neither waits for an item nor for room is at something that does not end.
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
            // Losses are consequences: only causes are told at once.
            if exit.is_cause() {
                (self.on_fault)(stage, &exit);
                // No more work is begun: what is under way ends with the current step.
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
