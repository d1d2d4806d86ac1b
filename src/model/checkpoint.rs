//! Checkpoints: safetensors with weights, momentum and one JSON text, written so that no crash leaves half of one.
//!
//! A file appears under its final name only after all of it is on the disk (temporary name, fsync, rename, fsync of the
//! folder), and carries a checksum, so that whatever is read back is what was saved.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize_to_file};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use super::{Network, Parameter};
use crate::dataset::statistics::{Statistics, Tensor};

/// The one metadata key.
const KEY: &str = "pipeline";
const MOMENTUM: &str = "momentum.";
const STATISTICS: &str = "statistics.";

/// What stands under the metadata key.
#[derive(Serialize, Deserialize)]
struct Metadata {
    format: u32,
    checksum: String,
    state: serde_json::Value,
}

/// A checkpoint that cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The disk refused.
    #[error("{path}: the checkpoint cannot be written: {reason}; the ones before it are intact")]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        reason: String,
    },
    /// The file cannot be opened.
    #[error("{path}: cannot be read: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Not a checkpoint, or a damaged one.
    #[error("{path}: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A checkpoint of another network.
    #[error("{path}: {name} is {found:?} there and {expected:?} in this model")]
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

/// A checkpoint's content.
#[derive(Debug)]
pub struct Loaded {
    /// Weights, biases and momentum.
    pub parameters: Vec<Parameter>,
    /// Of the training set, where the run needs them: whoever evaluates the network must see images as it did.
    pub statistics: Option<Statistics>,
    /// The state of the run.
    pub state: serde_json::Value,
}

/// The file name of the checkpoint after `step` steps.
pub fn file_name(step: u64) -> String {
    format!("step-{step:08}.safetensors")
}

/// The checkpoints in `folder`, oldest first.
pub fn list(folder: &Path) -> Vec<(u64, PathBuf)> {
    let step = |name: &str| name.strip_prefix("step-")?.strip_suffix(".safetensors")?.parse().ok();
    let mut found: Vec<(u64, PathBuf)> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((step(entry.file_name().to_str()?)?, entry.path())))
        .collect();
    found.sort();
    found
}

/// Writes the checkpoint of `step` into `folder`, whole or not at all.
pub fn write(
    folder: &Path,
    step: u64,
    parameters: &[Parameter],
    statistics: Option<&Statistics>,
    state: &serde_json::Value,
) -> Result<PathBuf, CheckpointError> {
    let path = folder.join(file_name(step));
    let temporary = folder.join(format!(".{}.tmp", file_name(step)));
    let written = write_tensors(&temporary, parameters, statistics, state).and_then(|()| {
        fs::rename(&temporary, &path)?;
        File::open(folder)?.sync_all()
    });
    written.map_err(|error| {
        // Best effort: the file is useless and its name is hidden.
        let _ = fs::remove_file(&temporary);
        CheckpointError::Write {
            path: path.clone(),
            reason: error.to_string(),
        }
    })?;
    Ok(path)
}

fn write_tensors(
    path: &Path,
    parameters: &[Parameter],
    statistics: Option<&Statistics>,
    state: &serde_json::Value,
) -> io::Result<()> {
    let view = |shape: &[usize], values| {
        TensorView::new(Dtype::F32, shape.to_vec(), bytemuck::cast_slice(values)).map_err(io::Error::other)
    };
    let mut tensors = Vec::with_capacity(2 * parameters.len());
    for parameter in parameters {
        tensors.push((parameter.name.clone(), view(&parameter.shape, &parameter.value[..])?));
        tensors.push((
            format!("{MOMENTUM}{}", parameter.name),
            view(&parameter.shape, &parameter.momentum[..])?,
        ));
    }
    let of_data = statistics.map_or(Vec::new(), |statistics| statistics.tensors(STATISTICS));
    for tensor in &of_data {
        tensors.push((tensor.name.clone(), tensor.view()?));
    }
    let metadata = Metadata {
        format: 1,
        checksum: checksum(parameters, &of_data, state),
        state: state.clone(),
    };
    let text = serde_json::to_string(&metadata)?;
    serialize_to_file(tensors, Some(HashMap::from([(KEY.to_string(), text)])), path).map_err(io::Error::other)?;
    File::open(path)?.sync_all()
}

/// Reads the state of the run alone: the header of the file, without the tensors and without checking them.
pub fn read_state(path: &Path) -> Result<serde_json::Value, CheckpointError> {
    let failed = |source| CheckpointError::Read {
        path: path.to_path_buf(),
        source,
    };
    let damaged = |reason: String| CheckpointError::Damaged {
        path: path.to_path_buf(),
        reason,
    };
    let mut file = File::open(path).map_err(failed)?;
    let mut length = [0; 8];
    file.read_exact(&mut length).map_err(failed)?;
    let mut header = Vec::new();
    file.take(u64::from_le_bytes(length))
        .read_to_end(&mut header)
        .map_err(failed)?;
    let header: serde_json::Value = serde_json::from_slice(&header).map_err(|error| damaged(error.to_string()))?;
    let text = header["__metadata__"][KEY].as_str().unwrap_or_default();
    let metadata: Metadata = serde_json::from_str(text).map_err(|error| damaged(error.to_string()))?;
    Ok(metadata.state)
}

/// Reads a checkpoint and checks that it is whole.
pub fn read(path: &Path) -> Result<Loaded, CheckpointError> {
    let damaged = |reason: String| CheckpointError::Damaged {
        path: path.to_path_buf(),
        reason,
    };
    let bytes = fs::read(path).map_err(|source| CheckpointError::Read {
        path: path.to_path_buf(),
        source,
    })?;
    let not_one = |error| damaged(format!("not a safetensors file, or a truncated one ({error})"));
    let tensors = SafeTensors::deserialize(&bytes).map_err(not_one)?;
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(not_one)?;
    let text = header.metadata().as_ref().and_then(|all| all.get(KEY));
    let text = text.ok_or_else(|| damaged("a safetensors file, but not a checkpoint of pipeline".to_string()))?;
    let metadata: Metadata =
        serde_json::from_str(text).map_err(|error| damaged(format!("its metadata is damaged ({error})")))?;
    let mut names: Vec<&str> = tensors
        .names()
        .into_iter()
        .filter(|name| !name.starts_with(MOMENTUM) && !name.starts_with(STATISTICS))
        .collect();
    names.sort_unstable();
    let floats = |name: &str| -> Result<(Vec<usize>, Vec<f32>), CheckpointError> {
        let view = tensors.tensor(name).map_err(|error| damaged(error.to_string()))?;
        let values = view
            .data()
            .chunks_exact(4)
            .map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]));
        Ok((view.shape().to_vec(), values.collect()))
    };
    let mut parameters = Vec::with_capacity(names.len());
    for name in names {
        let (shape, value) = floats(name)?;
        let (_, momentum) = floats(&format!("{MOMENTUM}{name}"))?;
        parameters.push(Parameter {
            name: name.to_string(),
            shape,
            value,
            momentum,
        });
    }
    let statistics = Statistics::from_tensors(&tensors, STATISTICS).ok();
    let of_data = statistics
        .as_ref()
        .map_or(Vec::new(), |statistics| statistics.tensors(STATISTICS));
    if checksum(&parameters, &of_data, &metadata.state) != metadata.checksum {
        return Err(damaged(
            "its checksum does not match: the file was changed after it was written".to_string(),
        ));
    }
    Ok(Loaded {
        parameters,
        statistics,
        state: metadata.state,
    })
}

/// Puts what was loaded from `path` into a network, as far as it is the network's.
pub fn restore(path: &Path, loaded: &[Parameter], into: &mut Network) -> Result<(), CheckpointError> {
    let mismatch = |name: &str, found: &[usize], expected: &[usize]| CheckpointError::Mismatch {
        path: path.to_path_buf(),
        name: name.to_string(),
        found: found.to_vec(),
        expected: expected.to_vec(),
    };
    let by_name: HashMap<&str, &Parameter> = loaded.iter().map(|p| (p.name.as_str(), p)).collect();
    let mut whole = Vec::with_capacity(loaded.len());
    for (name, shape) in into.shapes() {
        match by_name.get(name) {
            Some(found) if found.shape == shape => whole.push(*found),
            other => {
                let found = other.map(|p| &p.shape[..]).unwrap_or_default();
                return Err(mismatch(name, found, shape));
            }
        }
    }
    if let Some(extra) = loaded.iter().find(|p| !whole.iter().any(|known| known.name == p.name)) {
        return Err(mismatch(&extra.name, &extra.shape, &[]));
    }
    into.load(&whole);
    Ok(())
}

/// Hash of everything that matters, whatever the order of the parameters.
fn checksum(parameters: &[Parameter], of_data: &[Tensor], state: &serde_json::Value) -> String {
    let mut sorted: Vec<&Parameter> = parameters.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    let mut hash = Xxh3::new();
    hash.update(state.to_string().as_bytes());
    for parameter in sorted {
        hash.update(parameter.name.as_bytes());
        hash.update(bytemuck::cast_slice(&parameter.value));
        hash.update(bytemuck::cast_slice(&parameter.momentum));
    }
    for tensor in of_data {
        hash.update(tensor.name.as_bytes());
        hash.update(&tensor.bytes);
    }
    format!("{:016x}", hash.digest())
}

/// Removes all but the newest `keep` checkpoints; the first (step 0), `best` and the newest stay in any case.
pub fn prune(folder: &Path, keep: usize, best: Option<u64>) -> io::Result<()> {
    let all = list(folder);
    let old = all.len().saturating_sub(keep.max(1));
    for (step, path) in &all[..old] {
        if *step != 0 && Some(*step) != best {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Removes what writes that were cut off have left in `folder`. Only while nobody writes there.
pub fn sweep(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)?.flatten() {
        let name = entry.file_name();
        if name
            .to_str()
            .is_some_and(|name| name.starts_with('.') && name.strip_suffix(".tmp").is_some())
        {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Puts aside the checkpoints past `step`, which a run that goes on from there cannot use: it will write them anew, and
/// until then they must not count among the newest.
pub fn put_aside_after(folder: &Path, step: u64) -> io::Result<()> {
    for (_, path) in list(folder).into_iter().filter(|(later, _)| *later > step) {
        fs::rename(&path, path.with_extension("safetensors.damaged"))?;
    }
    Ok(())
}

/// Points `folder/best` at the checkpoint of `step`.
pub fn point_best(folder: &Path, step: u64) -> Result<(), CheckpointError> {
    let path = folder.join("best");
    let temporary = folder.join(".best.tmp");
    let write = || {
        fs::write(&temporary, format!("{}\n", file_name(step)))?;
        File::open(&temporary)?.sync_all()?;
        fs::rename(&temporary, &path)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(|error: io::Error| CheckpointError::Write {
        path: path.clone(),
        reason: error.to_string(),
    })
}
