//! From compute to save: a checkpoint to be written.

use crate::model::Parameter;
use crate::stages::state::RunState;

/// A copy of all parameters.
pub type Snapshot = Vec<Parameter>;

/// A checkpoint to be written.
pub struct Save {
    /// The parameters. Returned to compute afterwards.
    pub snapshot: Snapshot,
    /// Everything else.
    pub state: RunState,
    /// Whether its weights are the best so far.
    pub is_best: bool,
}
