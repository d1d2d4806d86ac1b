//! save: checkpoints to disk, one at a time, while the device goes on.
//! upstream: compute
//!
//! Invariant: there is one snapshot buffer; compute gets it back when the write is done, so never more than one write is
//! pending.

use std::path::PathBuf;

use crate::dataset::statistics::Statistics;
use crate::flow::{Fault, Inlet, Outlet};
use crate::model::{Parameter, checkpoint};
use crate::stages::compute::{Report, RunState};

/// A copy of all parameters.
pub type Snapshot = Vec<Parameter>;

/// A checkpoint to be written.
pub struct Save {
    /// Goes back to compute afterwards.
    pub snapshot: Snapshot,
    /// Everything else.
    pub state: RunState,
    /// Whether `best` shall point at it.
    pub is_best: bool,
}

/// Where to, and how many to keep.
#[derive(Clone, Debug)]
pub struct Saver {
    /// The folder of the checkpoints.
    pub folder: PathBuf,
    /// How many of the newest are kept.
    pub keep: usize,
    /// Of the training set, where the run needs them.
    pub statistics: Option<Statistics>,
}

/// Writes until the end of data.
pub fn run(saver: &Saver, saves: &Inlet<Save>, spare: Outlet<Snapshot>, reports: Outlet<Report>) -> Result<(), Fault> {
    while let Some(Save {
        snapshot,
        state,
        is_best,
    }) = saves.next()?
    {
        let span = tracing::info_span!("save", step = state.step);
        let _entered = span.enter();
        let text = serde_json::to_value(&state).map_err(Fault::failed)?;
        let path = checkpoint::write(&saver.folder, state.step, &snapshot, saver.statistics.as_ref(), &text)
            .map_err(Fault::failed)?;
        if is_best {
            checkpoint::point_best(&saver.folder, state.step).map_err(Fault::failed)?;
        }
        let best = state.best.map(|best| best.step);
        if let Err(error) = checkpoint::prune(&saver.folder, saver.keep, best) {
            tracing::warn!(%error, "old checkpoints could not be removed");
        }
        reports.send(Report::Saved {
            step: state.step,
            path,
            is_best,
        })?;
        // After the last checkpoint nobody waits for the buffer any more.
        let _ = spare.send(snapshot);
    }
    spare.finish();
    reports.finish();
    Ok(())
}
