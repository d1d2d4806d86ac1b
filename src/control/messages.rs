//! Every message of the control plane, with the greatest number of them in a run: mailboxes are bounded by that.

use actix::Message;

use crate::flow::Exit;

/// From a worker's thread, as its last act, to its stage. At most one a worker.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct WorkerExited {
    /// How it ended.
    pub(super) exit: Exit,
}

/// From a stage to the pipeline: a worker ended with a fault that is a cause. At most one a worker.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct FaultFound {
    /// The stage.
    pub(super) stage: &'static str,
    /// Its cause.
    pub(super) exit: Exit,
}

/// From a stage to the pipeline: all its workers have ended and are joined. One a stage.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct StageEnded;
