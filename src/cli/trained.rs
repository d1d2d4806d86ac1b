//! A trained network, found by a run's folder or a checkpoint's path.

use std::fs;
use std::path::{Path, PathBuf};

use super::Failure;
use super::folder;
use crate::config::Config;
use crate::model::checkpoint::{self, Loaded};
use crate::stages::compute::RunState;

/// A checkpoint and what it says of its run.
pub(super) struct Trained {
    /// The file.
    pub(super) path: PathBuf,
    /// Its content.
    pub(super) loaded: Loaded,
    /// The state of the run.
    pub(super) state: RunState,
    /// Its configuration.
    pub(super) config: Config,
}

impl Trained {
    /// Opens a checkpoint, or the best one of a run's folder (the newest where none is best).
    pub(super) fn open(path: &Path, sets: &[String]) -> Result<Self, Failure> {
        let (path, loaded) = if path.is_dir() {
            of_run(path)?
        } else {
            (path.to_path_buf(), read(path)?)
        };
        let state: RunState = serde_json::from_value(loaded.state.clone())
            .map_err(|error| Failure::Failed(format!("{}: {error}", path.display())))?;
        let config = Config::parse(&path.display().to_string(), &state.config, sets).map_err(Failure::usage)?;
        Ok(Self {
            path,
            loaded,
            state,
            config,
        })
    }
}

fn read(path: &Path) -> Result<Loaded, Failure> {
    checkpoint::read(path).map_err(Failure::failed)
}

fn of_run(run: &Path) -> Result<(PathBuf, Loaded), Failure> {
    let folder = folder::checkpoints(run);
    if let Ok(best) = fs::read_to_string(folder.join("best")) {
        let path = folder.join(best.trim());
        match read(&path) {
            Ok(loaded) => return Ok((path, loaded)),
            Err(_) => eprintln!(
                "warning: the best checkpoint, {}, is missing or damaged; taking the newest",
                path.display()
            ),
        }
    }
    folder::newest_good(&folder)
        .ok_or_else(|| Failure::Usage(format!("{}: no run lies here: there is no checkpoint", run.display())))
}
