//! Checkpoints: which there are in a folder, how one is written so that no crash leaves half of it, and whether one is
//! of a network. `format.rs` has the file.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Parameter, Spec};
use crate::dataset::statistics::Statistics;
use crate::durable::{self, Prepared};
use crate::files;
use crate::text;

mod format;

/// A checkpoint that cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The disk refused.
    #[error("{}: the checkpoint cannot be written: {source}", text::path(.path))]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The system does not let us read it now. That says nothing about what it holds.
    #[error("{}: cannot be read: {source}", text::path(.path))]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Not a checkpoint, or a damaged one.
    #[error("{}: {reason}", text::path(.path))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A checkpoint that another version of this program has written.
    #[error(
        "{}: the checkpoint has format {format}, but this program reads format {reads}; use the version that wrote it, or start a new run",
        text::path(.path)
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: u32,
        /// The one that is read here.
        reads: u32,
    },
    /// A checkpoint of another network.
    #[error(
        "{}: {name}: the checkpoint has {}, but the model has {}",
        text::path(.path),
        shape(.found),
        shape(.expected)
    )]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// The parameter.
        name: String,
        /// Its shape in the file; empty where it is missing.
        found: Vec<usize>,
        /// Its shape in the model; empty where it is missing.
        expected: Vec<usize>,
    },
}

/// The shape of a parameter, for messages.
fn shape(shape: &[usize]) -> String {
    if shape.is_empty() {
        "no such parameter".to_owned()
    } else {
        format!("the shape {shape:?}")
    }
}

impl CheckpointError {
    fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Read { path, source }
    }

    fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Write { path, source }
    }
}

/// What of the parameters a checkpoint has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Weights, biases and momentum: a run can go on from it.
    Everything,
    /// Weights and biases: enough to evaluate, predict and export, at half the size.
    Weights,
}

/// What was read from a checkpoint.
#[derive(Debug)]
pub struct Loaded {
    /// What it has of the parameters.
    pub content: Content,
    /// Weights, biases and, where it has [`Content::Everything`], momentum: finite, each as many as its shape says.
    pub parameters: Vec<Parameter>,
    /// Of the training set, where the run needs them: whoever evaluates the network must see images as it did.
    pub statistics: Option<Statistics>,
    /// The state of the run.
    pub state: serde_json::Value,
}

/// What the name of a checkpoint that a resumed run could not use ends with.
const DAMAGED: &str = ".damaged";

/// The file name of the checkpoint after `step` steps.
pub fn file_name(step: u64) -> String {
    format!("step-{step:08}.safetensors")
}

/// The file name of the weights alone after `step` steps.
fn weights_name(step: u64) -> String {
    format!("step-{step:08}.weights.safetensors")
}

/// The step of a file of this name.
fn step_of(name: &str) -> Option<u64> {
    step_by(name, ".safetensors", file_name)
}

/// The step of a file of weights alone of this name.
fn step_of_weights(name: &str) -> Option<u64> {
    step_by(name, ".weights.safetensors", weights_name)
}

fn step_by(name: &str, suffix: &str, file_name: impl Fn(u64) -> String) -> Option<u64> {
    let step = name.strip_prefix("step-")?.strip_suffix(suffix)?.parse().ok()?;
    // A name that another program gave is none of ours.
    (file_name(step) == name).then_some(step)
}

/// The checkpoints in `folder` from which a run can go on, oldest first; none where there is no such folder.
pub fn list(folder: &Path) -> Result<Vec<(u64, PathBuf)>, CheckpointError> {
    listed(folder, step_of)
}

fn listed(folder: &Path, step: impl Fn(&str) -> Option<u64>) -> Result<Vec<(u64, PathBuf)>, CheckpointError> {
    let mut found: Vec<(u64, PathBuf)> = names(folder)?
        .into_iter()
        .filter_map(|name| Some((step(&name)?, folder.join(name))))
        .collect();
    found.sort();
    Ok(found)
}

/// Whether there is, or was, a checkpoint in `folder`.
pub fn any(folder: &Path) -> Result<bool, CheckpointError> {
    let is_one = |name: &String| {
        step_of(name.strip_suffix(DAMAGED).unwrap_or(name)).is_some() || step_of_weights(name).is_some() || name == BEST
    };
    Ok(names(folder)?.iter().any(is_one))
}

fn names(folder: &Path) -> Result<Vec<String>, CheckpointError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(CheckpointError::read(folder))?,
    };
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    names.collect::<io::Result<_>>().map_err(CheckpointError::read(folder))
}

/// A checkpoint on the disk that waits to get its name.
#[derive(Debug)]
#[must_use = "it is a checkpoint only after `commit`"]
pub struct Pending {
    path: PathBuf,
    file: Prepared,
}

impl Pending {
    /// From now on it is one of the folder's checkpoints.
    pub fn commit(self) -> Result<PathBuf, CheckpointError> {
        self.file.commit().map_err(CheckpointError::write(&self.path))?;
        Ok(self.path)
    }

    /// Removes it.
    pub fn discard(self) {
        self.file.discard();
    }
}

/// Writes the checkpoint of `step` into `folder`, all but its name.
pub fn prepare(
    folder: &Path,
    step: u64,
    parameters: &[Parameter],
    statistics: Option<&Statistics>,
    state: &serde_json::Value,
) -> Result<Pending, CheckpointError> {
    prepare_at(
        folder.join(file_name(step)),
        Content::Everything,
        parameters,
        statistics,
        state,
    )
}

fn prepare_at(
    path: PathBuf,
    content: Content,
    parameters: &[Parameter],
    statistics: Option<&Statistics>,
    state: &serde_json::Value,
) -> Result<Pending, CheckpointError> {
    match format::prepare(&path, content, parameters, statistics, state) {
        Ok(file) => Ok(Pending { path, file }),
        Err(source) => Err(CheckpointError::Write { path, source }),
    }
}

/// Reads a checkpoint and checks that it is whole and makes sense.
pub fn read(path: &Path) -> Result<Loaded, CheckpointError> {
    format::read(path)
}

impl Loaded {
    /// Brings the parameters into the order of `spec`. It is an error if this checkpoint, which was read from `path`,
    /// is of another network.
    pub fn fit(&mut self, path: &Path, spec: &Spec) -> Result<(), CheckpointError> {
        let mismatch = |name: &str, found: &[usize], expected: &[usize]| CheckpointError::Mismatch {
            path: path.to_path_buf(),
            name: text::plain(name).into_owned(),
            found: found.to_vec(),
            expected: expected.to_vec(),
        };
        let found = std::mem::take(&mut self.parameters);
        let mut by_name: HashMap<String, Parameter> = found.into_iter().map(|p| (p.name.clone(), p)).collect();
        for expected in spec.parameter_specs() {
            let (name, shape) = (expected.name(), expected.shape());
            match by_name.remove(&name) {
                Some(found) if found.shape == shape => self.parameters.push(found),
                other => {
                    let found = other.map(|p| p.shape).unwrap_or_default();
                    return Err(mismatch(&name, &found, shape));
                }
            }
        }
        match by_name.into_values().min_by(|a, b| a.name.cmp(&b.name)) {
            Some(extra) => Err(mismatch(&extra.name, &extra.shape, &[])),
            None => Ok(()),
        }
    }
}

/// Removes all but the newest `keep` checkpoints, the one of step 0 if there is a later one, and the weights that are neither those
/// of `best` nor those that `folder/best` points at. (The two differ after a run was resumed from before its best step.)
pub fn prune(folder: &Path, keep: usize, best: Option<u64>) -> Result<(), CheckpointError> {
    let all = list(folder)?;
    let old = all.len().saturating_sub(keep.max(1));
    let is_old = |at: usize, step: u64| at < old || (step == 0 && all.len() > 1);
    let old = all
        .iter()
        .enumerate()
        .filter(|(at, (step, _))| is_old(*at, *step))
        .map(|(_, found)| found);
    let weights = listed(folder, step_of_weights)?;
    let pointed_at = self::best(folder).ok().flatten();
    let not_best = weights
        .iter()
        .filter(|(step, path)| Some(*step) != best && Some(path) != pointed_at.as_ref());
    for (_, path) in old.chain(not_best) {
        durable::remove(path).map_err(CheckpointError::write(path))?;
    }
    Ok(())
}

/// Puts aside the checkpoints past `step`, which a run that goes on from there has found damaged: it will write them anew, and
/// until then they must not count among the newest.
pub fn put_aside_after(folder: &Path, step: u64) -> Result<(), CheckpointError> {
    for (_, path) in list(folder)?.into_iter().filter(|(later, _)| *later > step) {
        let aside = path.with_added_extension(&DAMAGED[1..]);
        fs::rename(&path, &aside).map_err(CheckpointError::write(&aside))?;
    }
    Ok(())
}

/// The file that names the best checkpoint.
const BEST: &str = "best";

/// Keeps the weights of `step` as the best ones: without momentum, in a file that `folder/best` points at.
pub fn keep_best(
    folder: &Path,
    step: u64,
    parameters: &[Parameter],
    statistics: Option<&Statistics>,
    state: &serde_json::Value,
) -> Result<(), CheckpointError> {
    let path = folder.join(weights_name(step));
    prepare_at(path, Content::Weights, parameters, statistics, state)?.commit()?;
    point_best(folder, step).map(drop)
}

/// Points `folder/best` at the weights of `step`, if they are there; whether they are.
pub fn point_best(folder: &Path, step: u64) -> Result<bool, CheckpointError> {
    let weights = folder.join(weights_name(step));
    if !files::exists(&weights).map_err(CheckpointError::read(&weights))? {
        return Ok(false);
    }
    let path = folder.join(BEST);
    let line = format!("{}\n", weights_name(step));
    durable::replace(&path, line.as_bytes()).map_err(CheckpointError::write(&path))?;
    Ok(true)
}

/// The weights that `folder/best` points at; `None` where there is no such file. What does not name a checkpoint is damaged.
pub fn best(folder: &Path) -> Result<Option<PathBuf>, CheckpointError> {
    let path = folder.join(BEST);
    let text = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text.map_err(CheckpointError::read(&path))?,
    };
    let name = str::from_utf8(&text).ok().and_then(|text| text.strip_suffix('\n'));
    match name.filter(|name| step_of_weights(name).is_some()) {
        Some(name) => Ok(Some(folder.join(name))),
        None => Err(CheckpointError::Damaged {
            path,
            reason: "it does not name a weights file".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_files_go_and_the_best_weights_stay() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let parameters = [Parameter::new("a.weight".to_owned(), vec![2], vec![1.0, 2.0])];
        let state = serde_json::json!({});
        let save = |step| {
            prepare(folder, step, &parameters, None, &state)
                .unwrap()
                .commit()
                .unwrap()
        };
        let weights = || -> Vec<u64> {
            let found = listed(folder, step_of_weights).unwrap();
            found.into_iter().map(|(step, _)| step).collect()
        };
        let whole = || -> Vec<u64> { list(folder).unwrap().into_iter().map(|(step, _)| step).collect() };
        save(0);
        prune(folder, 2, None).unwrap();
        assert_eq!(whole(), [0], "the only one");
        save(4);
        keep_best(folder, 4, &parameters, None, &state).unwrap();
        prune(folder, 2, Some(4)).unwrap();
        assert_eq!((whole(), weights()), (vec![4], vec![4]));
        // A run that was resumed from before its best step does not know of it.
        prune(folder, 2, None).unwrap();
        assert_eq!(weights(), [4]);
        for step in [5, 6, 7] {
            save(step);
        }
        keep_best(folder, 7, &parameters, None, &state).unwrap();
        assert_eq!(weights(), [4, 7]);
        prune(folder, 2, Some(7)).unwrap();
        assert_eq!((whole(), weights()), (vec![6, 7], vec![7]));
        assert!(!point_best(folder, 4).unwrap() && point_best(folder, 7).unwrap());
    }
}
