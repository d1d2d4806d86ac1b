//! CIFAR-10's binary version. A record is a label and 3072 bytes: the red, green and blue planes of 32 x 32 pixels.
//!
//! `cifar:DIR/train` means `DIR/data_batch_1.bin` to `DIR/data_batch_5.bin`, `cifar:DIR/test` means `DIR/test_batch.bin`.
//! The names of the ten classes are the lines of `DIR/batches.meta.txt`, or `0` to `9` without that file.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use super::DatasetError;
use super::folder::modified;
use super::listing::Listing;
use super::name::{ClassName, SampleName};
use super::whole;
use crate::text;

/// Pixels per row, and rows.
pub(super) const SIDE: u32 = 32;

/// Pixels in a plane.
const PLANE: usize = (SIDE * SIDE) as usize;

/// Bytes of a record.
const RECORD: usize = 1 + 3 * PLANE;

const CLASSES: usize = 10;

/// A batch has 30 MB. A far larger file is refused before it fills the memory.
const MAX_BYTES: u64 = 1 << 30;

/// The file of names has 61 bytes.
const MAX_NAMES: u64 = 1 << 20;

const TRAIN: [&str; 5] = [
    "data_batch_1",
    "data_batch_2",
    "data_batch_3",
    "data_batch_4",
    "data_batch_5",
];
const TEST: [&str; 1] = ["test_batch"];

/// A split read into memory.
pub(super) struct Listed {
    pub(super) classes: Vec<String>,
    pub(super) listing: Listing,
    /// RGB interleaved, record after record.
    pub(super) pixels: Vec<u8>,
}

/// Reads a split. A sample is named after its batch and its five-digit number there, counted from 0: `data_batch_1/00042`.
pub(super) fn list(location: &str, folder: &Path, split: &str) -> Result<Listed, DatasetError> {
    let batches: &[&str] = match split {
        "train" => &TRAIN,
        "test" => &TEST,
        _ => {
            return Err(DatasetError::Split {
                location: location.to_owned(),
                split: split.to_owned(),
                choices: "cifar:DIR/train or cifar:DIR/test",
            });
        }
    };
    let classes = class_names(folder)?;
    let (mut listing, mut pixels) = (Listing::default(), Vec::new());
    for batch in batches {
        let path = folder.join(format!("{batch}.bin"));
        let (bytes, stamp) = read(location, &path)?;
        for (record, bytes) in bytes.chunks_exact(RECORD).enumerate() {
            let label = bytes[0];
            if usize::from(label) >= CLASSES {
                let reason = format!(
                    "record {record} has the label {label}, but labels of CIFAR-10 are 0 to 9; download it again"
                );
                return Err(wrong(&path, reason));
            }
            let at = (pixels.len() / (RECORD - 1)) as u64;
            let name = format!("{batch}/{record:05}");
            let name = SampleName::new(&name).map_err(DatasetError::name(&text::path(&path), &name))?;
            listing.push(u32::from(label), name, (RECORD - 1) as u64, stamp, at);
            interleave(&bytes[1..], &mut pixels);
        }
    }
    Ok(Listed {
        classes,
        listing,
        pixels,
    })
}

/// Where the sample `name` is, for messages.
pub(super) fn where_is(folder: &Path, name: &str) -> String {
    let (batch, record) = name.split_once('/').unwrap_or((name, ""));
    format!("{}, record {record}", text::path(&folder.join(format!("{batch}.bin"))))
}

fn wrong(file: &Path, reason: String) -> DatasetError {
    DatasetError::Cifar {
        file: text::path(file),
        reason,
    }
}

/// Reads a batch, which is one or more whole records. Also returns the modification time.
fn read(location: &str, path: &Path) -> Result<(Vec<u8>, u64), DatasetError> {
    let unreadable = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => DatasetError::NotFound {
            location: location.to_owned(),
            hint: format!("no {}; unpack cifar-10-binary.tar.gz to get it", text::path(path)),
        },
        _ => DatasetError::unreadable(path)(source),
    };
    let metadata = fs::metadata(path).map_err(unreadable)?;
    let bytes = whole::read(path, MAX_BYTES).map_err(unreadable)?;
    let (whole, rest) = (bytes.len() / RECORD, bytes.len() % RECORD);
    if bytes.is_empty() || rest != 0 {
        let reason =
            format!("record {whole} has {rest} bytes instead of {RECORD}: the file is truncated; download it again");
        return Err(wrong(path, reason));
    }
    Ok((bytes, modified(&metadata)))
}

/// Interleaves three planes to RGB.
fn interleave(planes: &[u8], out: &mut Vec<u8>) {
    let (red, rest) = planes.split_at(PLANE);
    let (green, blue) = rest.split_at(PLANE);
    let pixels = red.iter().zip(green).zip(blue);
    out.extend(pixels.flat_map(|((&r, &g), &b)| [r, g, b]));
}

/// The names in `batches.meta.txt`, in label order.
fn class_names(folder: &Path) -> Result<Vec<String>, DatasetError> {
    let path = folder.join("batches.meta.txt");
    let text = match whole::read(&path, MAX_NAMES) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok((0..CLASSES).map(|label| label.to_string()).collect());
        }
        Err(error) => return Err(DatasetError::unreadable(&path)(error)),
    };
    let text = str::from_utf8(&text).map_err(|_| wrong(&path, "is not UTF-8; download it again".into()))?;
    let names: Vec<String> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect();
    let different: BTreeSet<&String> = names.iter().collect();
    if names.len() != CLASSES || different.len() != CLASSES {
        let reason = format!(
            "has {} class names, {} of them different, instead of 10; download it again",
            names.len(),
            different.len()
        );
        return Err(wrong(&path, reason));
    }
    for name in &names {
        ClassName::new(name).map_err(DatasetError::name(&text::path(&path), name))?;
    }
    Ok(names)
}
