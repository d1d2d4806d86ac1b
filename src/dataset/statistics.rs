//! Statistics of a training set: mean image, channel means, principal components of RGB (paper, section 4.1).

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};

/// Integer sums over frames of u8 RGB: exact, so the order of addition cannot matter. u64 holds 255² · 2.8 · 10¹⁴ pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sums {
    side: Option<u32>,
    images: u64,
    skipped: u64,
    pixels: u64,
    rgb: [u64; 3],
    /// Products rr, rg, rb, gg, gb, bb.
    products: [u64; 6],
    /// Sum at each place of the square frame, RGB interleaved; empty where no mean image is wanted.
    image: Vec<u64>,
}

impl Sums {
    /// Nothing yet; `side` is that of every frame where a mean image is wanted.
    pub fn new(side: Option<u32>) -> Self {
        let places = side.map_or(0, |side| 3 * (side as usize).pow(2));
        Self {
            side,
            images: 0,
            skipped: 0,
            pixels: 0,
            rgb: [0; 3],
            products: [0; 6],
            image: vec![0; places],
        }
    }

    /// Adds a frame.
    pub fn add(&mut self, rgb: &[u8]) {
        self.images += 1;
        self.pixels += rgb.len() as u64 / 3;
        for (sum, &value) in self.image.iter_mut().zip(rgb) {
            *sum += u64::from(value);
        }
        // A line's worth at a time fits u32, which the vector units like better.
        for part in rgb.chunks(3 * 4096) {
            let mut sums = [0u32; 3];
            let mut products = [0u32; 6];
            for pixel in part.chunks_exact(3) {
                let [r, g, b] = [u32::from(pixel[0]), u32::from(pixel[1]), u32::from(pixel[2])];
                for (sum, value) in sums.iter_mut().zip([r, g, b]) {
                    *sum += value;
                }
                for (sum, value) in products.iter_mut().zip([r * r, r * g, r * b, g * g, g * b, b * b]) {
                    *sum += value;
                }
            }
            self.rgb
                .iter_mut()
                .zip(sums)
                .for_each(|(sum, part)| *sum += u64::from(part));
            self.products
                .iter_mut()
                .zip(products)
                .for_each(|(sum, part)| *sum += u64::from(part));
        }
    }

    /// Counts an image that could not be decoded.
    pub fn skip(&mut self) {
        self.skipped += 1;
    }

    /// Adds what another worker has counted.
    pub fn merge(&mut self, other: &Self) {
        self.images += other.images;
        self.skipped += other.skipped;
        self.pixels += other.pixels;
        self.rgb.iter_mut().zip(other.rgb).for_each(|(sum, part)| *sum += part);
        self.products
            .iter_mut()
            .zip(other.products)
            .for_each(|(sum, part)| *sum += part);
        self.image
            .iter_mut()
            .zip(&other.image)
            .for_each(|(sum, part)| *sum += part);
    }

    /// The statistics; `None` where nothing was counted.
    pub fn finish(&self) -> Option<Statistics> {
        let pixels = self.pixels as f64;
        if self.images == 0 {
            return None;
        }
        let mean = self.rgb.map(|sum| sum as f64 / pixels);
        let [rr, rg, rb, gg, gb, bb] = self.products.map(|sum| sum as f64 / pixels);
        let second = [[rr, rg, rb], [rg, gg, gb], [rb, gb, bb]];
        let mut covariance = [[0.0; 3]; 3];
        for i in 0..3 {
            for j in 0..3 {
                covariance[i][j] = (second[i][j] - mean[i] * mean[j]) / (255.0 * 255.0);
            }
        }
        let (eigenvalues, eigenvectors) = eigen(covariance);
        Some(Statistics {
            images: self.images,
            skipped: self.skipped,
            channel_mean: mean,
            mean_image: self.side.map(|side| MeanImage {
                side,
                values: self
                    .image
                    .iter()
                    .map(|&sum| (sum as f64 / self.images as f64) as f32)
                    .collect(),
            }),
            eigenvalues,
            eigenvectors,
        })
    }
}

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
    /// Keeps the statistics for the next run.
    pub fn save(&self, path: &Path) -> std::io::Result<()> {
        let flat: Vec<f64> = self.eigenvectors.iter().flatten().copied().collect();
        let counts = [self.images, self.skipped];
        let view = |kind, shape: Vec<usize>, bytes| TensorView::new(kind, shape, bytes).map_err(std::io::Error::other);
        let mut tensors = vec![
            ("counts", view(Dtype::U64, vec![2], bytemuck::cast_slice(&counts))?),
            (
                "channel_mean",
                view(Dtype::F64, vec![3], bytemuck::cast_slice(&self.channel_mean))?,
            ),
            (
                "eigenvalues",
                view(Dtype::F64, vec![3], bytemuck::cast_slice(&self.eigenvalues))?,
            ),
            (
                "eigenvectors",
                view(Dtype::F64, vec![3, 3], bytemuck::cast_slice(&flat))?,
            ),
        ];
        if let Some(image) = &self.mean_image {
            let side = image.side as usize;
            tensors.push((
                "mean_image",
                view(Dtype::F32, vec![side, side, 3], bytemuck::cast_slice(&image.values))?,
            ));
        }
        let units = "mean_image and channel_mean: RGB in 0..255; eigenvalues and eigenvectors (rows): of RGB in 0..1";
        let metadata = HashMap::from([("units".to_string(), units.to_string())]);
        let bytes = serialize(tensors, Some(metadata)).map_err(std::io::Error::other)?;
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
        let tensors = SafeTensors::deserialize(&bytes).ok()?;
        let eights = |name: &str| -> Option<Vec<[u8; 8]>> {
            let view = tensors.tensor(name).ok()?;
            view.data().chunks_exact(8).map(|eight| eight.try_into().ok()).collect()
        };
        let doubles = |name: &str| Some(eights(name)?.into_iter().map(f64::from_le_bytes).collect::<Vec<_>>());
        let counts: Vec<u64> = eights("counts")?.into_iter().map(u64::from_le_bytes).collect();
        let vectors = doubles("eigenvectors")?;
        let mean_image = tensors.tensor("mean_image").ok().map(|view| MeanImage {
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
}

/// Eigenvalues (largest first) and eigenvectors (rows) of a symmetric matrix, by Jacobi's rotations. Only + − × ÷ √, so
/// the same bits everywhere; the sign is fixed by making each vector's largest component positive.
fn eigen(mut a: [[f64; 3]; 3]) -> ([f64; 3], [[f64; 3]; 3]) {
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

    #[test]
    fn any_division_among_workers_gives_the_same_sums() {
        let frames: Vec<Vec<u8>> = (0..7u32)
            .map(|i| (0..48u32).map(|j| (i * 37 + j * j * 11) as u8).collect())
            .collect();
        let mut one = Sums::new(Some(4));
        frames.iter().for_each(|frame| one.add(frame));
        let (mut a, mut b) = (Sums::new(Some(4)), Sums::new(Some(4)));
        for (i, frame) in frames.iter().enumerate() {
            if i % 3 == 0 { a.add(frame) } else { b.add(frame) }
        }
        b.merge(&a);
        assert_eq!(one, b);
        let statistics = one.finish().unwrap();
        let folder = tempfile::tempdir().unwrap();
        statistics.save(&folder.path().join("s.safetensors")).unwrap();
        assert_eq!(Statistics::load(&folder.path().join("s.safetensors")), Some(statistics));
    }
}
