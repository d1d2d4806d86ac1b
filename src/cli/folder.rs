//! The folder of a run: what lies in it, and the lock that keeps two processes apart.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use super::Failure;
use crate::model::checkpoint::{self, Loaded};

/// A run's folder, locked by this process.
pub(super) struct RunFolder {
    path: PathBuf,
    /// Held open: the lock ends with the file descriptor, however the process ends.
    _lock: File,
}

impl RunFolder {
    /// Makes the folder if need be and locks it.
    pub(super) fn lock(path: &Path) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::Failed(format!("{}: cannot be used: {error}", path.display()));
        fs::create_dir_all(path.join("checkpoints")).map_err(failed)?;
        let lock = File::options()
            .create(true)
            .append(true)
            .open(path.join("lock"))
            .map_err(failed)?;
        // SAFETY: the descriptor is open for as long as `lock` lives; flock touches no memory.
        if unsafe { libc::flock(lock.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } != 0 {
            let hint = "another process is running there; wait for it, or name another folder with --set run.out=…";
            return Err(Failure::Failed(format!("{}: {hint}", path.display())));
        }
        checkpoint::sweep(&checkpoints(path)).map_err(failed)?;
        Ok(Self {
            path: path.to_path_buf(),
            _lock: lock,
        })
    }

    /// The resolved configuration.
    pub(super) fn config(&self) -> PathBuf {
        self.path.join("config.toml")
    }

    pub(super) fn metrics(&self) -> PathBuf {
        metrics(&self.path)
    }

    pub(super) fn report(&self) -> PathBuf {
        self.path.join("report.html")
    }

    pub(super) fn checkpoints(&self) -> PathBuf {
        checkpoints(&self.path)
    }

    /// Stream hashes of steps that come again.
    pub(super) fn replay(&self) -> PathBuf {
        self.path.join("replay.json")
    }

    /// When they have come again, or nothing is to be compared.
    pub(super) fn forget_replay(&self) {
        // It is not there in most runs.
        let _ = fs::remove_file(self.replay());
    }
}

/// Where the events of the run in `path` lie.
pub(super) fn metrics(path: &Path) -> PathBuf {
    path.join("metrics.jsonl")
}

/// Where the checkpoints of the run in `path` lie.
pub(super) fn checkpoints(path: &Path) -> PathBuf {
    path.join("checkpoints")
}

/// The step of the newest checkpoint in `path`, if a run lies there.
pub(super) fn newest_step(path: &Path) -> Option<u64> {
    checkpoint::list(&checkpoints(path)).last().map(|(step, _)| *step)
}

/// The newest checkpoint that is whole; damaged ones are passed over with a warning.
pub(super) fn newest_good(folder: &Path) -> Option<(PathBuf, Loaded)> {
    for (_, path) in checkpoint::list(folder).into_iter().rev() {
        match checkpoint::read(&path) {
            Ok(loaded) => return Some((path, loaded)),
            Err(error) => eprintln!("warning: {error}; going back to the checkpoint before"),
        }
    }
    None
}
