//! Finds a trained network by a run's folder or a checkpoint's path.

use std::path::{Path, PathBuf};

use super::folder;
use super::{Failure, unreadable};
use crate::config::Config;
use crate::config::devices::Devices;
use crate::files;
use crate::model::checkpoint::{self, CheckpointError, Loaded};
use crate::model::{Spec, devices};
use crate::observe::terminal::tell;
use crate::stages::compute::RunState;
use crate::text;

/// A checkpoint, and the run that it belongs to.
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
    /// Opens a checkpoint, or the best one of a run's folder (the newest if no best is known).
    pub(super) fn open(path: &Path, sets: &[String]) -> Result<Self, Failure> {
        let Some(found) = files::metadata(path).map_err(|error| unreadable(path, &error))? else {
            return Err(Failure::Usage(format!(
                "{}: there is no run and no checkpoint here",
                text::path(path)
            )));
        };
        let run = found.is_dir().then_some(path);
        let (path, loaded) = match run {
            Some(run) => of_run(run)?,
            None => (path.to_path_buf(), checkpoint::read(path).map_err(Failure::failed)?),
        };
        let state = state(&path, &loaded)?;
        let mut config = Config::parse(&text::path(&path), &state.config, sets).map_err(Failure::usage)?;
        if !sets.iter().any(|set| set.trim_start().starts_with("compute.devices")) {
            use_what_is_here(&mut config);
        }
        if let Some(run) = run {
            // The run may have been moved since.
            config.run.out = run.to_path_buf();
        }
        Ok(Self {
            path,
            loaded,
            state,
            config,
        })
    }

    /// Brings the parameters into the order of `spec`, which must be the network that was trained.
    pub(super) fn fit(&mut self, spec: &Spec) -> Result<(), Failure> {
        self.loaded.fit(&self.path, spec).map_err(Failure::failed)
    }
}

/// Lets a network be used where the GPU that trained it is not.
fn use_what_is_here(config: &mut Config) {
    let names = config.compute.devices.names().unwrap_or_default();
    if let Some(why) = names.into_iter().find_map(devices::refusal) {
        config.compute.devices = Devices::Auto;
        tell!("using another device: {}", text::plain(&why));
    }
}

/// The state of the run in the checkpoint that was loaded from `path`.
pub(super) fn state(path: &Path, loaded: &Loaded) -> Result<RunState, Failure> {
    RunState::read(loaded.state.clone()).map_err(|error| Failure::Failed(format!("{}: {error}", text::path(path))))
}

fn of_run(run: &Path) -> Result<(PathBuf, Loaded), Failure> {
    let folder = folder::checkpoints(run);
    match best(&folder) {
        Ok(Some(best)) => return Ok(best),
        Ok(None) => {}
        Err(error @ CheckpointError::Damaged { .. }) => {
            tell!("warning: the best checkpoint is damaged: {error}; using the newest");
        }
        Err(CheckpointError::Read { path, source }) if source.kind() == std::io::ErrorKind::NotFound => {
            tell!(
                "warning: the best checkpoint, {}, is missing; using the newest",
                text::path(&path)
            );
        }
        Err(error) => return Err(Failure::failed(error)),
    }
    let newest = folder::newest_good(&folder).map_err(Failure::failed)?;
    newest.ok_or_else(|| Failure::Usage(format!("there is no run in {}: it has no checkpoint", text::path(run))))
}

/// The checkpoint that a run's `best` points to; `None` if there is none.
fn best(folder: &Path) -> Result<Option<(PathBuf, Loaded)>, CheckpointError> {
    let Some(path) = checkpoint::best(folder)? else {
        return Ok(None);
    };
    let loaded = checkpoint::read(&path)?;
    Ok(Some((path, loaded)))
}
