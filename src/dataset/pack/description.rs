//! What training needs to know of a pack.

use std::path::{Path, PathBuf};

use super::hash;
use super::{Frames, Manifest, Mode, STATISTICS};
use crate::dataset::DatasetError;
use crate::dataset::statistics::Statistics;

/// A pack that was opened.
#[derive(Clone, Debug)]
pub struct Pack {
    /// Its folder.
    pub folder: PathBuf,
    /// How its images are stored.
    pub mode: Mode,
    /// How they were preprocessed (`passthrough`: before they were counted in the statistics).
    pub frames: Frames,
    /// The side of every frame, if all are squares of one size.
    pub square_side: Option<u32>,
    /// The hash that the statistics must have.
    stats_xxh3: String,
}

impl Pack {
    pub(super) fn new(folder: &Path, manifest: &Manifest) -> Self {
        Self {
            folder: folder.to_owned(),
            mode: manifest.settings.mode,
            frames: manifest.settings.frames,
            square_side: manifest.square_side,
            stats_xxh3: manifest.stats_xxh3.clone(),
        }
    }

    /// The mean image, channel means and principal components of its frames.
    pub fn statistics(&self) -> Result<Statistics, DatasetError> {
        let path = self.folder.join(STATISTICS);
        let bytes = hash::read(&path, &self.stats_xxh3)?;
        Statistics::from_bytes(&bytes).map_err(|error| DatasetError::damaged_pack(&path, error))
    }

    /// Whether decoding its members as `wanted` gives the frames of its statistics. `dct_scaling`: whether JPEGs may be
    /// decoded at a fraction of their size.
    pub fn has_frames(&self, wanted: Frames, dct_scaling: bool) -> bool {
        let packed = self.frames;
        let is_square = packed.square || self.square_side.is_some();
        if self.mode == Mode::Passthrough {
            // The statistics are of frames made with DCT scaling. It has no effect if nothing is resized.
            if packed.shorter_side.is_some() && !dct_scaling {
                return false;
            }
            let same_shape = packed.square == wanted.square || is_square;
            return (packed.shorter_side, packed.exif) == (wanted.shorter_side, wanted.exif) && same_shape;
        }
        // Members are upright and have no EXIF. Resizing to the size that they have (and so DCT scaling) changes nothing.
        wanted.shorter_side.is_none_or(|side| packed.shorter_side == Some(side)) && (!wanted.square || is_square)
    }
}
