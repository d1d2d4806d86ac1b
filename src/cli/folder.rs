//! The folder of a run: its contents, and the lock that keeps other processes out.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::Failure;
use crate::config::Config;
use crate::durable;
use crate::model::checkpoint::{self, CheckpointError, Loaded};
use crate::observe::digest::Digest;
use crate::observe::metrics;
use crate::observe::report::Page;
use crate::observe::terminal::tell;
use crate::text;

/// A run's folder, locked by this process.
pub(super) struct RunFolder {
    path: PathBuf,
    /// Held open: the lock ends with the file descriptor, however the process ends.
    _lock: File,
}

impl RunFolder {
    /// Makes the folder if necessary, locks it, and removes the leftovers of interrupted writes.
    pub(super) fn lock(path: &Path) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::Failed(format!("{}: cannot be used: {error}", text::path(path)));
        durable::create_folder(&checkpoints(path)).map_err(failed)?;
        let lock = File::options()
            .create(true)
            .append(true)
            .open(path.join(LOCK))
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let hint =
                    "another process is using this folder; wait for it, or choose another folder with --set run.out=…";
                return Err(Failure::Failed(format!("{}: {hint}", text::path(path))));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        for folder in [path, &checkpoints(path)] {
            durable::sweep(folder).map_err(failed)?;
        }
        Ok(Self {
            path: path.to_path_buf(),
            _lock: lock,
        })
    }

    /// The folder itself.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The resolved configuration.
    pub(super) fn config(&self) -> PathBuf {
        self.path.join(CONFIG)
    }

    pub(super) fn metrics(&self) -> PathBuf {
        metrics(&self.path)
    }

    /// The page of the run, with a summary of its events.
    pub(super) fn page(&self, config: &Config, digest: Digest) -> Page {
        Page {
            path: report(&self.path),
            name: text::path(&self.path),
            digest,
            config: config.to_toml(),
        }
    }

    pub(super) fn checkpoints(&self) -> PathBuf {
        checkpoints(&self.path)
    }

    /// Stream hashes of steps to be repeated.
    pub(super) fn replay(&self) -> PathBuf {
        self.path.join("replay.json")
    }

    /// Removes the hashes, once the steps have been repeated or cannot be compared.
    pub(super) fn forget_replay(&self) -> Result<(), Failure> {
        remove(&self.replay())
    }

    /// Removes the events of an earlier run before a run starts again.
    pub(super) fn forget_events(&self) -> Result<(), Failure> {
        remove(&self.metrics())
    }

    /// Why a run cannot start again here: the folder has traces of a run that has saved something.
    pub(super) fn traces(&self) -> Result<Option<&'static str>, Failure> {
        if checkpoint::any(&self.checkpoints()).map_err(Failure::failed)? {
            return Ok(Some("none of its checkpoints is intact"));
        }
        let has_saved = metrics::tells_of_a_checkpoint(&self.metrics()).map_err(Failure::failed)?;
        Ok(has_saved.then_some("metrics.jsonl lists checkpoints, but none exists"))
    }
}

/// The file that a process locks while it works on a run.
const LOCK: &str = "lock";

/// The name of the resolved configuration in a run's folder.
pub(super) const CONFIG: &str = "config.toml";

/// The folder of the checkpoints of the run in `path`.
pub(super) fn checkpoints(path: &Path) -> PathBuf {
    path.join("checkpoints")
}

/// The events of the run in `path`.
pub(super) fn metrics(path: &Path) -> PathBuf {
    path.join("metrics.jsonl")
}

/// The page of the run in `path`.
pub(super) fn report(path: &Path) -> PathBuf {
    path.join("report.html")
}

/// Whether a process is working on the run in `path`.
pub(super) fn is_in_use(path: &Path) -> Result<bool, Failure> {
    let failed = |error: io::Error| Failure::Failed(format!("{}: cannot be used: {error}", text::path(path)));
    let lock = match File::open(path.join(LOCK)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        lock => lock.map_err(failed)?,
    };
    match lock.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// The run's folder, if `config` is the resolved configuration of a run.
pub(super) fn of_config(config: &Path) -> Result<Option<PathBuf>, CheckpointError> {
    if config.file_name().is_none_or(|name| name != CONFIG) {
        return Ok(None);
    }
    let folder = match config.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    Ok(checkpoint::any(&checkpoints(folder))?.then(|| folder.to_path_buf()))
}

/// Whether two paths lead to the same folder; `false` if either does not exist.
pub(super) fn is_same(a: &Path, b: &Path) -> bool {
    // "" is the current folder.
    let real = |path: &Path| fs::canonicalize(Path::new(".").join(path)).ok();
    real(a).is_some_and(|a| real(b) == Some(a))
}

/// The step of the newest checkpoint in `path`, if there is a run.
pub(super) fn newest_step(path: &Path) -> Result<Option<u64>, CheckpointError> {
    Ok(checkpoint::list(&checkpoints(path))?.last().map(|(step, _)| *step))
}

/// The newest checkpoint that is intact. Damaged ones are skipped with a warning. One that cannot be read is not damaged:
/// this is an error.
pub(super) fn newest_good(folder: &Path) -> Result<Option<(PathBuf, Loaded)>, CheckpointError> {
    for (_, path) in checkpoint::list(folder)?.into_iter().rev() {
        match checkpoint::read(&path) {
            Ok(loaded) => return Ok(Some((path, loaded))),
            Err(error @ CheckpointError::Damaged { .. }) => {
                tell!("warning: {error}; trying the previous checkpoint");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Removes a file, if it exists.
fn remove(file: &Path) -> Result<(), Failure> {
    durable::remove(file).map_err(|error| Failure::Failed(format!("{}: {error}", text::path(file))))
}
