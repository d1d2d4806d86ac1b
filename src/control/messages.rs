//! The messages of the control plane, with the maximum number of each in a run, which bounds the mailboxes.

use actix::Message;

use crate::flow::Exit;

/// From a worker's thread, as its last act, to its stage. At most one per worker.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct WorkerExited {
    /// How it ended.
    pub(super) exit: Exit,
}

/// From a stage to the pipeline: a worker did not end normally. At most one per worker.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct FaultFound {
    /// The stage.
    pub(super) stage: &'static str,
    /// How the worker ended.
    pub(super) exit: Exit,
}

/// From a stage to the pipeline: all its workers have ended and are joined. One per stage.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct StageEnded;
