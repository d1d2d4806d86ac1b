//! Writes any data set as class folders of image files, which every other tool can read.

use std::path::Path;
use std::{fs, io};

use super::below::Below;
use super::{Dataset, Encoded, JpegWriter, ReadError};
use crate::files;
use crate::text;

/// Why an export failed.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The target is not empty.
    #[error("{out}: the folder exists and is not empty; choose another folder or remove it")]
    OutNotEmpty {
        /// The target.
        out: String,
    },
    /// Writing failed.
    #[error("{path}: cannot be written: {source}")]
    Write {
        /// The file or folder.
        path: String,
        /// The system's reason.
        source: io::Error,
    },
    /// A sample could not be read.
    #[error("{sample}: {source}")]
    Read {
        /// CLASS/name.
        sample: String,
        /// The reason.
        source: ReadError,
    },
    /// A sample could not be compressed.
    #[error("{sample}: cannot be written as JPEG: {reason}")]
    Encode {
        /// CLASS/name, or the step of the setup that failed.
        sample: String,
        /// libjpeg-turbo's reason.
        reason: String,
    },
}

/// Writes `dataset` to the folder `out`. Files are copied byte for byte. Raw pixels become JPEGs at `quality`.
///
/// The files are written to a hidden folder beside `out`, which is renamed at the end: `out` is complete or absent.
/// `progress` gets the number of samples written so far.
pub fn export(dataset: &Dataset, out: &Path, quality: u32, mut progress: impl FnMut(usize)) -> Result<(), ExportError> {
    let is_taken = match files::metadata(out).map_err(|source| write_error(out, source))? {
        Some(found) if found.is_dir() => {
            let mut entries = fs::read_dir(out).map_err(|source| write_error(out, source))?;
            entries.next().is_some()
        }
        found => found.is_some(),
    };
    if is_taken {
        return Err(ExportError::OutNotEmpty { out: text::path(out) });
    }
    let name = out.file_name().unwrap_or_default().to_string_lossy();
    let partial = out.with_file_name(format!(".{name}.partial-{}", std::process::id()));
    remove_leftovers(out, &name).map_err(|source| write_error(out, source))?;
    // A folder of our own: an existing one belongs to someone else.
    fs::create_dir_all(partial.parent().unwrap_or(Path::new("")))
        .and_then(|()| fs::create_dir(&partial))
        .map_err(|source| write_error(&partial, source))?;
    let written = write_all(dataset, &partial, quality, &mut progress)
        .and_then(|()| fs::rename(&partial, out).map_err(|source| write_error(out, source)));
    if written.is_err() {
        // The error at hand matters more than one from the cleanup.
        let _ = fs::remove_dir_all(&partial);
    }
    written
}

/// Removes what killed exports to `out` have left behind.
fn remove_leftovers(out: &Path, name: &str) -> io::Result<()> {
    let beside = match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let entries = match fs::read_dir(beside) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    let prefix = format!(".{name}.partial-");
    for entry in entries {
        let entry = entry?;
        let entry_name = entry.file_name();
        let process = entry_name.to_str().and_then(|name| name.strip_prefix(&prefix));
        let process = process.and_then(|process| process.parse::<u32>().ok());
        let Some(process) = process else { continue };
        if !files::exists(Path::new(&format!("/proc/{process}")))? {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

fn write_all(
    dataset: &Dataset,
    folder: &Path,
    quality: u32,
    progress: &mut dyn FnMut(usize),
) -> Result<(), ExportError> {
    let encode = |sample: String, reason| ExportError::Encode { sample, reason };
    let mut writer = JpegWriter::new(quality).map_err(|reason| encode(format!("quality {quality}"), reason))?;
    let mut scratch = Vec::new();
    let mut below = Below::new(folder.to_owned());
    for i in 0..dataset.len() {
        let id = dataset.id(i);
        let encoded = dataset.read(i, &mut scratch);
        let encoded = encoded.map_err(|source| ExportError::Read {
            sample: id.to_string(),
            source,
        })?;
        let (bytes, suffix) = match encoded {
            Encoded::File(bytes) => (Ok(bytes), ""),
            Encoded::Grey { width, height, pixels } => (writer.grey(width, height, pixels), ".jpg"),
            Encoded::Rgb { width, height, pixels } => (writer.rgb(width, height, pixels), ".jpg"),
        };
        let bytes = bytes.map_err(|reason| encode(id.to_string(), reason))?;
        below
            .write_new(id, suffix, bytes)
            .map_err(|error| write_error(&error.path, error.source))?;
        dataset.verify(i).map_err(|source| ExportError::Read {
            sample: id.to_string(),
            source,
        })?;
        progress(i + 1);
    }
    Ok(())
}

fn write_error(path: &Path, source: io::Error) -> ExportError {
    ExportError::Write {
        path: text::path(path),
        source,
    }
}
