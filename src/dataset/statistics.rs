//! Statistics of a training set: mean image, channel means, principal components of RGB (paper, section 4.1).

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};

/// The mean of all frames.
#[derive(Clone, Debug, PartialEq)]
pub struct MeanImage {
    /// Pixels in a row, and rows.
    pub side: u32,
    /// RGB interleaved, 0..255.
    pub values: Vec<f32>,
}

/// What augmentation needs to know of a training set.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// Images counted.
    pub images: u64,
    /// Images that could not be decoded.
    pub skipped: u64,
    /// Mean of R, G and B over all pixels, 0..255.
    pub channel_mean: [f64; 3],
    /// The mean image, where one was asked for.
    pub mean_image: Option<MeanImage>,
    /// Eigenvalues of the covariance of RGB in 0..1, largest first.
    pub eigenvalues: [f64; 3],
    /// Eigenvectors as rows, in the same order, each with a positive largest component.
    pub eigenvectors: [[f64; 3]; 3],
}

impl Statistics {
    /// As tensors, each called `prefix` and its own name: for a file, or for a part of one.
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

    /// From tensors whose names begin with `prefix`; `None` where they are not there.
    pub fn from_tensors(tensors: &SafeTensors<'_>, prefix: &str) -> Option<Self> {
        let eights = |name: &str| -> Option<Vec<[u8; 8]>> {
            let view = tensors.tensor(&format!("{prefix}{name}")).ok()?;
            view.data().chunks_exact(8).map(|eight| eight.try_into().ok()).collect()
        };
        let doubles = |name: &str| Some(eights(name)?.into_iter().map(f64::from_le_bytes).collect::<Vec<_>>());
        let counts: Vec<u64> = eights("counts")?.into_iter().map(u64::from_le_bytes).collect();
        let vectors = doubles("eigenvectors")?;
        let mean_image = tensors
            .tensor(&format!("{prefix}mean_image"))
            .ok()
            .map(|view| MeanImage {
                side: view.shape()[0] as u32,
                values: view
                    .data()
                    .chunks_exact(4)
                    .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                    .collect(),
            });
        Some(Self {
            images: *counts.first()?,
            skipped: *counts.get(1)?,
            channel_mean: doubles("channel_mean")?.try_into().ok()?,
            mean_image,
            eigenvalues: doubles("eigenvalues")?.try_into().ok()?,
            eigenvectors: [
                vectors.get(0..3)?.try_into().ok()?,
                vectors.get(3..6)?.try_into().ok()?,
                vectors.get(6..9)?.try_into().ok()?,
            ],
        })
    }

    /// Keeps the statistics for the next run.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        let tensors = self.tensors("");
        let views: io::Result<Vec<_>> = tensors
            .iter()
            .map(|tensor| Ok((&tensor.name, tensor.view()?)))
            .collect();
        let units = "mean_image and channel_mean: RGB in 0..255; eigenvalues and eigenvectors (rows): of RGB in 0..1";
        let metadata = HashMap::from([("units".to_string(), units.to_string())]);
        let bytes = serialize(views?, Some(metadata)).map_err(io::Error::other)?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
        fs::write(&temporary, bytes)?;
        fs::rename(temporary, path)
    }

    /// Statistics that were kept; `None` where there are none or they cannot be read, then they are made anew.
    pub fn load(path: &Path) -> Option<Self> {
        let bytes = fs::read(path).ok()?;
        Self::from_tensors(&SafeTensors::deserialize(&bytes).ok()?, "")
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
    /// As `safetensors` wants it.
    pub fn view(&self) -> io::Result<TensorView<'_>> {
        TensorView::new(self.kind, self.shape.clone(), &self.bytes).map_err(io::Error::other)
    }
}

/// Eigenvalues (largest first) and eigenvectors (rows) of a symmetric matrix, by Jacobi's rotations. Only + − × ÷ √, so
/// the same bits everywhere; the sign is fixed by making each vector's largest component positive.
pub(super) fn eigen(mut a: [[f64; 3]; 3]) -> ([f64; 3], [[f64; 3]; 3]) {
    let mut vectors = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    // Convergence is quadratic: a 3 × 3 matrix is done to the last bit after a handful of sweeps.
    for _ in 0..16 {
        for (p, q) in [(0, 1), (0, 2), (1, 2)] {
            if a[p][q] == 0.0 {
                continue;
            }
            let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
            let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
            let c = 1.0 / (t * t + 1.0).sqrt();
            let s = t * c;
            for row in &mut a {
                let (x, y) = (row[p], row[q]);
                (row[p], row[q]) = (c * x - s * y, s * x + c * y);
            }
            for k in 0..3 {
                let (x, y) = (a[p][k], a[q][k]);
                (a[p][k], a[q][k]) = (c * x - s * y, s * x + c * y);
                let (x, y) = (vectors[p][k], vectors[q][k]);
                (vectors[p][k], vectors[q][k]) = (c * x - s * y, s * x + c * y);
            }
        }
    }
    let mut order = [0, 1, 2];
    order.sort_by(|&i, &j| a[j][j].total_cmp(&a[i][i]));
    let upright = |v: [f64; 3]| {
        let largest = v
            .iter()
            .fold(0.0f64, |best, &x| if x.abs() > best.abs() { x } else { best });
        if largest < 0.0 { v.map(|x| -x) } else { v }
    };
    (order.map(|i| a[i][i].max(0.0)), order.map(|i| upright(vectors[i])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eigenvectors_of_a_known_matrix() {
        let a = [[4.0, 1.0, 0.5], [1.0, 3.0, -0.25], [0.5, -0.25, 2.0]];
        let (values, vectors) = eigen(a);
        assert!(values[0] >= values[1] && values[1] >= values[2]);
        for (value, v) in values.iter().zip(vectors) {
            for i in 0..3 {
                let av: f64 = (0..3).map(|j| a[i][j] * v[j]).sum();
                assert!((av - value * v[i]).abs() < 1e-12, "{av} {value} {v:?}");
            }
        }
    }
}
