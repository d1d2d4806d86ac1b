//! The file of a checkpoint: safetensors, with the state of the run as JSON text under one metadata key.
//!
//! That text begins with a sum, xxh3-64 of the whole file with the sum's own digits taken as zeros: not a bit of names, shapes,
//! weights, momentum, statistics or state can change unseen.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use safetensors::SafeTensorError;
use safetensors::tensor::{Dtype, Metadata as Header, SafeTensors, TensorInfo};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use super::{CheckpointError, Content, Loaded, Parameter};
use crate::checksum::{self, BLANK};
use crate::dataset::statistics::{Statistics, Tensor};
use crate::durable::{self, Prepared};
use crate::text::plain;

/// The one metadata key.
const KEY: &str = "pipeline";
const MOMENTUM: &str = "momentum.";
const STATISTICS: &str = "statistics.";

/// The version that is written and read here.
const FORMAT: u32 = 2;

/// What stands before the sum's digits in the header, where the JSON text is quoted.
///
/// The sum is inside that text because the order of metadata keys is not fixed, and the file's bytes must be.
const BEFORE_SUM: &[u8] = br#"\"sum\":\""#;

/// What stands under the metadata key. The sum comes before the state, which may hold any text.
#[derive(Serialize, Deserialize)]
struct Metadata {
    format: u32,
    sum: String,
    state: serde_json::Value,
}

/// What every format has, as far as it is known here.
#[derive(Deserialize)]
struct Head {
    format: u32,
    sum: Option<String>,
}

/// One tensor on its way into the file.
struct Piece<'a> {
    name: String,
    kind: Dtype,
    shape: Vec<usize>,
    bytes: &'a [u8],
}

/// Writes a checkpoint under a temporary name.
pub(super) fn prepare(
    path: &Path,
    content: Content,
    parameters: &[Parameter],
    statistics: Option<&Statistics>,
    state: &serde_json::Value,
) -> io::Result<Prepared> {
    let of_data = statistics.map_or(Vec::new(), |statistics| statistics.tensors(STATISTICS));
    let pieces = pieces(content, parameters, &of_data);
    let mut header = header(&pieces, state)?;
    let at = place_of_sum(&header).ok_or_else(|| io::Error::other("the header has no place for a sum"))?;
    let mut sum = Xxh3::new();
    sum.update(&(header.len() as u64).to_le_bytes());
    sum.update(&header);
    pieces.iter().for_each(|piece| sum.update(piece.bytes));
    header[at..at + BLANK.len()].copy_from_slice(checksum::digits(sum.digest()).as_bytes());
    durable::prepare(path, |file| {
        file.write_all(&(header.len() as u64).to_le_bytes())?;
        file.write_all(&header)?;
        pieces.iter().try_for_each(|piece| file.write_all(piece.bytes))
    })
}

/// The tensors in the order of the file: those of wider elements first, so that all are aligned.
fn pieces<'a>(content: Content, parameters: &'a [Parameter], of_data: &'a [Tensor]) -> Vec<Piece<'a>> {
    let of_data = of_data.iter().map(|tensor| Piece {
        name: tensor.name.clone(),
        kind: tensor.kind,
        shape: tensor.shape.clone(),
        bytes: &tensor.bytes,
    });
    let floats = |name, shape: &[usize], values: &'a [f32]| Piece {
        name,
        kind: Dtype::F32,
        shape: shape.to_vec(),
        bytes: bytemuck::cast_slice(values),
    };
    let of_network = parameters.iter().flat_map(|parameter| {
        let (name, shape) = (&parameter.name, &parameter.shape);
        let momentum =
            (content == Content::Everything).then(|| floats(format!("{MOMENTUM}{name}"), shape, &parameter.momentum));
        [Some(floats(name.clone(), shape, &parameter.value)), momentum]
    });
    let of_network = of_network.flatten();
    let mut pieces: Vec<Piece<'a>> = of_data.chain(of_network).collect();
    // By name, so that weights which were read and are written again make the same file.
    pieces.sort_by(|a, b| (b.kind.bitsize(), &a.name).cmp(&(a.kind.bitsize(), &b.name)));
    pieces
}

/// The header, padded to whole words, without its sum.
fn header(pieces: &[Piece<'_>], state: &serde_json::Value) -> io::Result<Vec<u8>> {
    let metadata = Metadata {
        format: FORMAT,
        sum: BLANK.to_owned(),
        state: state.clone(),
    };
    let text = serde_json::to_string(&metadata)?;
    let mut end = 0;
    let infos = pieces.iter().map(|piece| {
        let start = end;
        end += piece.bytes.len();
        let info = TensorInfo {
            dtype: piece.kind,
            shape: piece.shape.clone(),
            data_offsets: (start, end),
        };
        (piece.name.clone(), info)
    });
    // It checks that every tensor's bytes are those of its shape.
    let header = Header::new(Some(HashMap::from([(KEY.to_owned(), text)])), infos.collect());
    let mut header = serde_json::to_vec(&header.map_err(io::Error::other)?)?;
    header.resize(header.len().next_multiple_of(8), b' ');
    Ok(header)
}

/// Where the digits of the sum begin.
fn place_of_sum(header: &[u8]) -> Option<usize> {
    let before = header.windows(BEFORE_SUM.len()).position(|bytes| bytes == BEFORE_SUM)?;
    let at = before + BEFORE_SUM.len();
    (at + BLANK.len() <= header.len()).then_some(at)
}

/// Reads a checkpoint and checks that it is whole and makes sense.
pub(super) fn read(path: &Path) -> Result<Loaded, CheckpointError> {
    let bytes = fs::read(path).map_err(|source| CheckpointError::Read {
        path: path.to_path_buf(),
        source,
    })?;
    let path = path.to_path_buf();
    match other_format(&bytes) {
        Some(format) => Err(CheckpointError::Format {
            path,
            format,
            reads: FORMAT,
        }),
        None => parse(&bytes).map_err(|reason| CheckpointError::Damaged { path, reason }),
    }
}

/// The format of a checkpoint that another version has written: its sum is right, or is none of ours.
fn other_format(bytes: &[u8]) -> Option<u32> {
    let (length, header) = SafeTensors::read_metadata(bytes).ok()?;
    let text = header.metadata().as_ref()?.get(KEY)?;
    let head: Head = serde_json::from_str(text).ok()?;
    let is_whole = head.sum.is_none() || sum_of(bytes, length) == head.sum;
    (head.format != FORMAT && is_whole).then_some(head.format)
}

/// The error is the reason.
fn parse(bytes: &[u8]) -> Result<Loaded, String> {
    let not_one = |error: SafeTensorError| {
        format!(
            "it is not a safetensors file, or is truncated ({})",
            plain(&error.to_string())
        )
    };
    let (length, header) = SafeTensors::read_metadata(bytes).map_err(not_one)?;
    let text = header.metadata().as_ref().and_then(|all| all.get(KEY));
    let text = text.ok_or("it is a safetensors file, but not a checkpoint of pipeline")?;
    let metadata: Metadata = serde_json::from_str(text)
        .map_err(|error| format!("its metadata is damaged ({})", plain(&error.to_string())))?;
    if sum_of(bytes, length).as_ref() != Some(&metadata.sum) {
        return Err("its checksum does not match: it has changed since it was written".to_owned());
    }
    if metadata.format != FORMAT {
        return Err(format!(
            "it has format {}, but this program reads format {FORMAT}",
            metadata.format
        ));
    }
    let tensors = SafeTensors::deserialize(bytes).map_err(not_one)?;
    let mut names = tensors.names();
    let has_statistics = names.iter().any(|name| name.starts_with(STATISTICS));
    let statistics = has_statistics.then(|| Statistics::from_tensors(&tensors, STATISTICS));
    let content = if names.iter().any(|name| name.starts_with(MOMENTUM)) {
        Content::Everything
    } else {
        Content::Weights
    };
    names.retain(|name| !name.starts_with(MOMENTUM) && !name.starts_with(STATISTICS));
    names.sort_unstable();
    let parameters = names
        .into_iter()
        .map(|name| parameter(&tensors, name, content))
        .collect::<Result<_, _>>()?;
    Ok(Loaded {
        content,
        parameters,
        statistics: statistics.transpose().map_err(|error| error.to_string())?,
        state: metadata.state,
    })
}

/// The sum of a file whose header has `length` bytes.
fn sum_of(bytes: &[u8], length: usize) -> Option<String> {
    let head = size_of::<u64>();
    let at = head + place_of_sum(bytes.get(head..head + length)?)?;
    Some(checksum::sum_around(bytes, at))
}

/// A parameter with its momentum, if both are finite floats of one shape; where the file has weights alone, without it.
fn parameter(tensors: &SafeTensors<'_>, name: &str, content: Content) -> Result<Parameter, String> {
    let floats = |name: &str| -> Result<(Vec<usize>, Vec<f32>), String> {
        let view = tensors
            .tensor(name)
            .map_err(|error| format!("{}: {error}", plain(name)))?;
        if view.dtype() != Dtype::F32 {
            return Err(format!("{} has type {:?} instead of F32", plain(name), view.dtype()));
        }
        let (fours, _) = view.data().as_chunks::<4>();
        let values: Vec<f32> = fours.iter().map(|four| f32::from_le_bytes(*four)).collect();
        if values.iter().all(|value| value.is_finite()) {
            Ok((view.shape().to_vec(), values))
        } else {
            Err(format!("{} contains a value that is not finite", plain(name)))
        }
    };
    let (shape, value) = floats(name)?;
    let (same, momentum) = match content {
        Content::Everything => floats(&format!("{MOMENTUM}{name}"))?,
        Content::Weights => (shape.clone(), Vec::new()),
    };
    if shape != same {
        return Err(format!(
            "{} has shape {shape:?}, but its momentum has shape {same:?}",
            plain(name)
        ));
    }
    Ok(Parameter {
        name: name.to_owned(),
        shape,
        value,
        momentum,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters() -> Vec<Parameter> {
        let parameter = |name: &str, shape: &[usize], from: f32| {
            let count: usize = shape.iter().product();
            let value: Vec<f32> = (0..count).map(|i| from + i as f32).collect();
            Parameter {
                name: name.to_owned(),
                shape: shape.to_vec(),
                momentum: value.iter().map(|value| -value).collect(),
                value,
            }
        };
        vec![parameter("a.weight", &[2, 3], 0.5), parameter("a.bias", &[2], 7.0)]
    }

    fn file() -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.safetensors");
        // A state that says what the sum says, after it.
        let state = serde_json::json!({ "classes": ["\"sum\":\"0123456789abcdef\"", "b"] });
        prepare(&path, Content::Everything, &parameters(), None, &state)
            .unwrap()
            .commit()
            .unwrap();
        fs::read(&path).unwrap()
    }

    #[test]
    fn what_is_written_is_read_and_any_reader_of_safetensors_reads_it() {
        let bytes = file();
        let loaded = parse(&bytes).unwrap();
        let mut written = parameters();
        written.sort_by(|a, b| a.name.cmp(&b.name));
        assert_eq!(loaded.parameters, written);
        assert_eq!(loaded.state["classes"][1], "b");
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(tensors.tensor("a.weight").unwrap().shape(), [2, 3]);
    }

    #[test]
    fn weights_alone_are_read_without_momentum() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.safetensors");
        let state = serde_json::json!({});
        let written = prepare(&path, Content::Weights, &parameters(), None, &state);
        written.unwrap().commit().unwrap();
        let bytes = fs::read(&path).unwrap();
        let loaded = parse(&bytes).unwrap();
        assert_eq!(loaded.content, Content::Weights);
        let mut expected = parameters();
        expected.sort_by(|a, b| a.name.cmp(&b.name));
        expected.iter_mut().for_each(|parameter| parameter.momentum.clear());
        assert_eq!(loaded.parameters, expected);
        assert!(bytes.len() < file().len());
    }

    #[test]
    fn every_bit_counts() {
        let bytes = file();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                assert!(parse(&changed).is_err(), "bit {bit} of byte {at}");
            }
            assert!(parse(&bytes[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_checkpoint_of_another_format_is_not_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.safetensors");
        let text = "{\"format\":1,\"checksum\":\"0123456789abcdef\",\"state\":{}}";
        let metadata = HashMap::from([(KEY.to_owned(), text.to_owned())]);
        let header = serde_json::to_vec(&Header::new(Some(metadata), Vec::new()).unwrap()).unwrap();
        let file = [&(header.len() as u64).to_le_bytes()[..], &header].concat();
        fs::write(&path, file).unwrap();
        assert!(matches!(read(&path), Err(CheckpointError::Format { format: 1, .. })));
        // Damage in ours is damage.
        fs::write(&path, &self::file()[..100]).unwrap();
        assert!(matches!(read(&path), Err(CheckpointError::Damaged { .. })));
    }

    /// A sum says that bytes are as they were written, not that they make sense.
    #[test]
    fn what_makes_no_sense_is_refused_though_its_sum_is_right() {
        let written = |change: &dyn Fn(&mut Vec<Parameter>)| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("x.safetensors");
            let mut parameters = parameters();
            change(&mut parameters);
            let state = serde_json::json!({});
            prepare(&path, Content::Everything, &parameters, None, &state)
                .unwrap()
                .commit()
                .unwrap();
            parse(&fs::read(&path).unwrap()).map(|_| ())
        };
        assert_eq!(written(&|_| {}), Ok(()));
        let reason = written(&|all| all[0].value[1] = f32::NAN).unwrap_err();
        assert_eq!(reason, "a.weight contains a value that is not finite");
        let reason = written(&|all| all[1].momentum[0] = f32::INFINITY).unwrap_err();
        assert_eq!(reason, "momentum.a.bias contains a value that is not finite");
    }
}
