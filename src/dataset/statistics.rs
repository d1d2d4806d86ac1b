//! Statistics of a training set: mean image, channel means, principal components of RGB (paper, section 4.1).

mod eigen;
mod kept;
mod read;

use std::collections::HashMap;
use std::io;

use safetensors::tensor::{Dtype, TensorView, serialize};

pub(super) use eigen::eigen;
pub use kept::KeptError;
pub use read::StatisticsError;

/// The mean of all frames.
#[derive(Clone, Debug, PartialEq)]
pub struct MeanImage {
    /// Pixels per row, and rows.
    pub side: u32,
    /// RGB interleaved, 0..255.
    pub values: Vec<f32>,
}

/// What augmentation needs to know about a training set.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// Images counted.
    pub images: u64,
    /// Images that could not be decoded.
    pub skipped: u64,
    /// Mean of R, G and B over all pixels, 0..255.
    pub channel_mean: [f64; 3],
    /// The mean image, if it was requested.
    pub mean_image: Option<MeanImage>,
    /// Eigenvalues of the covariance of RGB in 0..1, largest first.
    pub eigenvalues: [f64; 3],
    /// Eigenvectors as rows, in the same order, each with a positive largest component.
    pub eigenvectors: [[f64; 3]; 3],
}

impl Statistics {
    /// As tensors for a file, with `prefix` before each name.
    pub fn tensors(&self, prefix: &str) -> Vec<Tensor> {
        let eights = |values: &[f64]| values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let counts = [self.images, self.skipped].into_iter().flat_map(u64::to_le_bytes);
        let vectors: Vec<f64> = self.eigenvectors.iter().flatten().copied().collect();
        let tensor = |name: &str, kind, shape, bytes| Tensor {
            name: format!("{prefix}{name}"),
            kind,
            shape,
            bytes,
        };
        let mut tensors = vec![
            tensor("counts", Dtype::U64, vec![2], counts.collect()),
            tensor("channel_mean", Dtype::F64, vec![3], eights(&self.channel_mean)),
            tensor("eigenvalues", Dtype::F64, vec![3], eights(&self.eigenvalues)),
            tensor("eigenvectors", Dtype::F64, vec![3, 3], eights(&vectors)),
        ];
        if let Some(image) = &self.mean_image {
            let side = image.side as usize;
            let bytes = image.values.iter().flat_map(|value| value.to_le_bytes()).collect();
            tensors.push(tensor("mean_image", Dtype::F32, vec![side, side, 3], bytes));
        }
        tensors
    }

    /// As a file, the same bytes for the same numbers.
    pub fn to_bytes(&self) -> io::Result<Vec<u8>> {
        let units = "mean_image and channel_mean: RGB in 0..255; eigenvalues and eigenvectors (rows): of RGB in 0..1";
        self.file("units", units)
    }

    /// As a file with one text beside the tensors. The order of several texts would not be deterministic.
    fn file(&self, key: &str, text: &str) -> io::Result<Vec<u8>> {
        let tensors = self.tensors("");
        let views: io::Result<Vec<_>> = tensors
            .iter()
            .map(|tensor| Ok((&tensor.name, tensor.view()?)))
            .collect();
        let metadata = HashMap::from([(key.to_owned(), text.to_owned())]);
        serialize(views?, Some(metadata)).map_err(io::Error::other)
    }
}

/// A tensor that owns its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// Its name in the file.
    pub name: String,
    /// The type of its elements.
    pub kind: Dtype,
    /// Its shape, row major.
    pub shape: Vec<usize>,
    /// Its elements, little endian.
    pub bytes: Vec<u8>,
}

impl Tensor {
    /// For `safetensors`.
    pub fn view(&self) -> io::Result<TensorView<'_>> {
        TensorView::new(self.kind, self.shape.clone(), &self.bytes).map_err(io::Error::other)
    }
}
