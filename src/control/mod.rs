//! The control plane, and the only module that uses actix. It starts the workers of a topology, learns how each ends, finds the
//! cause, handles signals, and changes the number of workers. There are few messages; `messages.rs` has the maximum number of
//! each. No actor ever touches a pixel, and no worker owns a mailbox.

use std::time::Duration;

use actix::{Actor, System};
use tokio::sync::oneshot;

use crate::flow::{Exit, Stop};
use crate::topology::Topology;

mod every;
mod hold;
mod messages;
mod pipeline;
mod signals;
mod stage;
mod tuner;
pub mod tuning;

pub use pipeline::Ending;

/// Called with a stage and the fault found there.
pub type OnFault = Box<dyn Fn(&str, &Exit)>;

/// How a run is supervised.
pub struct Watch {
    /// If nothing moves for this long, a stage is stuck.
    pub stall_after: Duration,
    /// Called as soon as a fault is known, long before the last worker has ended.
    pub on_fault: OnFault,
    /// Called at the first signal.
    pub on_stop: Box<dyn Fn()>,
}

impl Watch {
    /// Reports nothing while the flow runs: a fault is returned as the ending.
    pub fn silent(stall_after: Duration) -> Self {
        Self {
            stall_after,
            on_fault: Box::new(|_, _| {}),
            on_stop: Box::new(|| {}),
        }
    }
}

/// Runs a topology on this thread until its last worker has ended.
pub fn supervise(topology: Topology, stop: &Stop, watch: Watch) -> Ending {
    let system = System::new();
    let (outcome, ended) = oneshot::channel();
    let stop = stop.clone();
    let ending = system.block_on(async move {
        let Watch {
            stall_after,
            on_fault,
            on_stop,
        } = watch;
        signals::listen(stop.clone(), on_stop);
        if let Some(tuner) = tuner::TunerActor::new(&topology.meters, topology.tune_every) {
            tuner.start();
        }
        pipeline::PipelineActor::new(topology, stop, stall_after, on_fault, outcome).start();
        ended.await
    });
    // The actor holds the sender, and drops it without sending only if the control plane itself has failed.
    ending.unwrap_or(Ending::ControlLost)
}
