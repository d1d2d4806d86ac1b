//! Statistics in the user's cache, so that the next run on the same data need not measure them.

use std::io;
use std::path::Path;

use super::Statistics;
use crate::checksum;
use crate::dataset::whole;
use crate::durable;

/// The mean image of frames of 16,384 × 16,384 pixels has 3.2 GB.
const MAX_BYTES: u64 = 4 << 30;

/// Why existing statistics cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// They could not be read, and may be good.
    #[error("cannot be read: {0}")]
    Unreadable(io::Error),
    /// They have changed since they were written.
    #[error("{0}")]
    Damaged(String),
}

impl Statistics {
    /// Writes the statistics for the next run, with a checksum, because results depend on them.
    pub fn keep(&self, path: &Path) -> io::Result<()> {
        let mut bytes = self.file(checksum::KEY, checksum::BLANK)?;
        if !checksum::put(&mut bytes) {
            return Err(io::Error::other("statistics have no place for their sum"));
        }
        if let Some(folder) = path.parent() {
            durable::create_folder(folder)?;
        }
        durable::replace(path, &bytes)
    }

    /// Reads the statistics of an earlier run; `None` if there are none.
    pub fn kept(path: &Path) -> Result<Option<Self>, KeptError> {
        let bytes = match whole::read(path, MAX_BYTES) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(KeptError::Unreadable(error)),
        };
        if !checksum::is_right(&bytes) {
            return Err(KeptError::Damaged(
                "they have changed since they were written".to_owned(),
            ));
        }
        let statistics = Self::from_bytes(&bytes).map_err(|error| KeptError::Damaged(error.to_string()))?;
        Ok(Some(statistics))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::MeanImage;
    use super::*;

    #[test]
    fn what_was_kept_comes_back_and_every_flipped_bit_is_found() {
        let statistics = Statistics {
            images: 7,
            skipped: 1,
            channel_mean: [100.5, 0.0, 255.0],
            mean_image: Some(MeanImage {
                side: 2,
                values: (0..12).map(|i| i as f32).collect(),
            }),
            eigenvalues: [0.25, 0.125, 0.0],
            eigenvectors: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/s.safetensors");
        assert!(matches!(Statistics::kept(&path), Ok(None)));
        statistics.keep(&path).unwrap();
        assert_eq!(Statistics::kept(&path).unwrap(), Some(statistics));
        let whole = fs::read(&path).unwrap();
        for bit in 0..8 * whole.len() {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, flipped).unwrap();
            assert!(
                matches!(Statistics::kept(&path), Err(KeptError::Damaged(_))),
                "bit {bit}"
            );
        }
        fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        assert!(matches!(Statistics::kept(&path), Err(KeptError::Damaged(_))));
        // A folder of that name can be opened but not read.
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(matches!(Statistics::kept(&path), Err(KeptError::Unreadable(_))));
    }
}
