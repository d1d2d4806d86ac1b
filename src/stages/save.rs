//! save: writes checkpoints to disk, one at a time, while the devices continue.
//! upstream: compute, and the listener, which confirms that all earlier reports are on the disk
//!
//! Invariant: there is one snapshot buffer. Compute gets it back when the write is done, so at most one write is pending. A
//! checkpoint appears only when the events before it are durable.

use std::path::PathBuf;

use crate::dataset::statistics::Statistics;
use crate::flow::{Fault, Inlet, Outlet};
use crate::model::checkpoint;
use crate::stages::messages::{Report, Save, Snapshot};

/// Where checkpoints go, and how many are kept.
#[derive(Clone, Debug)]
pub struct Saver {
    /// The folder of the checkpoints.
    pub folder: PathBuf,
    /// How many of the newest checkpoints are kept.
    pub keep: usize,
    /// Statistics of the training set, if the run needs them.
    pub statistics: Option<Statistics>,
}

/// The channels of the stage.
pub struct SaveChannels {
    /// From compute.
    pub saves: Inlet<Save>,
    /// From the listener: the step up to which all events are on the disk.
    pub kept: Inlet<u64>,
    /// Returns the snapshot buffer.
    pub spare: Outlet<Snapshot>,
    /// To the listener.
    pub reports: Outlet<Report>,
}

/// Writes until the end of data.
pub fn run(saver: &Saver, channels: SaveChannels) -> Result<(), Fault> {
    let SaveChannels {
        saves,
        kept,
        spare,
        reports,
    } = channels;
    while let Some(Save {
        snapshot,
        state,
        is_best,
    }) = saves.next()?
    {
        let span = tracing::info_span!("save", step = state.step);
        let _entered = span.enter();
        let text = serde_json::to_value(&state).map_err(Fault::failed)?;
        let pending = checkpoint::prepare(&saver.folder, state.step, &snapshot, saver.statistics.as_ref(), &text)
            .map_err(Fault::failed)?;
        let path = match wait_for_events(&kept, state.step) {
            Ok(()) => pending.commit().map_err(Fault::failed)?,
            Err(fault) => {
                pending.discard();
                return Err(fault);
            }
        };
        if is_best {
            checkpoint::keep_best(&saver.folder, state.step, &snapshot, saver.statistics.as_ref(), &text)
                .map_err(Fault::failed)?;
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
        // After the last checkpoint nobody waits for the buffer.
        let _ = spare.send(snapshot);
    }
    spare.finish();
    reports.finish();
    Ok(())
}

/// Waits until the listener has confirmed all reports before the checkpoint of `step`.
fn wait_for_events(kept: &Inlet<u64>, step: u64) -> Result<(), Fault> {
    match kept.next()? {
        Some(before) if before == step => Ok(()),
        _ => Err(Fault::Aborted),
    }
}
