//! Writes any dataset as class folders of image files, which every other tool can read.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::{Dataset, Encoded, ExportError, JpegWriter};

/// Writes `dataset` to the folder `out`. Files are copied byte for byte; raw pixels become JPEGs at `quality`.
///
/// All is written to a hidden folder beside `out` and renamed at the end: `out` exists whole or not at all. `progress`
/// is told how many samples are written.
pub fn export(dataset: &Dataset, out: &Path, quality: u32, mut progress: impl FnMut(usize)) -> Result<(), ExportError> {
    if fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some()) || out.is_file() {
        return Err(ExportError::OutNotEmpty {
            out: out.display().to_string(),
        });
    }
    let name = out.file_name().unwrap_or_default().to_string_lossy();
    let partial = out.with_file_name(format!(".{name}.partial-{}", std::process::id()));
    let written = write_all(dataset, &partial, quality, &mut progress)
        .and_then(|()| fs::rename(&partial, out).map_err(|source| write_error(out, source)));
    if written.is_err() {
        // The error at hand matters more than one from cleaning up.
        let _ = fs::remove_dir_all(&partial);
    }
    written
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
    let mut made = PathBuf::new();
    for i in 0..dataset.len() {
        let id = dataset.id(i);
        let encoded = dataset.read(i, &mut scratch);
        let encoded = encoded.map_err(|source| ExportError::Read {
            sample: id.to_string(),
            source,
        })?;
        let mut path = folder.join(id.class);
        path.extend(id.name.split('/').filter(|part| !matches!(*part, "" | "." | "..")));
        let bytes = match encoded {
            Encoded::File(bytes) => bytes,
            Encoded::Grey { width, height, pixels } => {
                path.as_mut_os_string().push(".jpg");
                writer
                    .grey(width, height, pixels)
                    .map_err(|reason| encode(id.to_string(), reason))?
            }
            Encoded::Rgb { width, height, pixels } => {
                path.as_mut_os_string().push(".jpg");
                writer
                    .rgb(width, height, pixels)
                    .map_err(|reason| encode(id.to_string(), reason))?
            }
        };
        let parent = path.parent().unwrap_or(folder);
        if parent != made {
            fs::create_dir_all(parent).map_err(|source| write_error(parent, source))?;
            parent.clone_into(&mut made);
        }
        // New: two names of a list may differ only in parts that lead out of the folder.
        let written = File::create_new(&path).and_then(|mut file| file.write_all(bytes));
        written.map_err(|source| write_error(&path, source))?;
        dataset.verify(i).map_err(|source| ExportError::Read {
            sample: id.to_string(),
            source,
        })?;
        progress(i + 1);
    }
    Ok(())
}

fn write_error(path: &Path, source: std::io::Error) -> ExportError {
    ExportError::Write {
        path: path.display().to_string(),
        source,
    }
}
