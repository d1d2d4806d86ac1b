//! What a pass over a training set adds up.

use super::statistics::{MeanImage, Statistics, eigen};

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

#[cfg(test)]
mod tests {
    use super::*;

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
