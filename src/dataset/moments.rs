//! Integer moments of RGB pixels. They are exact, so the order of addition does not matter. u64 holds 255² · 2.8 · 10¹⁴ pixels.

use serde::{Deserialize, Serialize};

use super::statistics::{MeanImage, Statistics, eigen};

/// The sums from which channel means and principal components are computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moments {
    /// Frames added.
    pub images: u64,
    /// Their pixels.
    pub pixels: u64,
    /// Sums of R, G and B.
    pub rgb: [u64; 3],
    /// Sums of the products rr, rg, rb, gg, gb, bb.
    pub products: [u64; 6],
}

impl Moments {
    /// Adds a frame of RGB.
    pub fn add(&mut self, rgb: &[u8]) {
        self.images += 1;
        self.pixels += rgb.len() as u64 / 3;
        // The sums of a part this long fit u32, which vectorizes better.
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

    /// Adds the sums of another.
    pub fn merge(&mut self, other: &Self) {
        self.images += other.images;
        self.pixels += other.pixels;
        self.rgb.iter_mut().zip(other.rgb).for_each(|(sum, part)| *sum += part);
        self.products
            .iter_mut()
            .zip(other.products)
            .for_each(|(sum, part)| *sum += part);
    }

    /// The statistics; `None` if nothing was added. `skipped` is the number of images that could not be decoded.
    pub fn statistics(&self, skipped: u64, mean_image: Option<MeanImage>) -> Option<Statistics> {
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
            skipped,
            channel_mean: mean,
            mean_image,
            eigenvalues,
            eigenvectors,
        })
    }
}

impl MeanImage {
    /// The mean of `images` frames, from the sums of their values at each position.
    pub(super) fn of_sums(side: u32, sums: &[u64], images: u64) -> Self {
        Self {
            side,
            values: sums.iter().map(|&sum| (sum as f64 / images as f64) as f32).collect(),
        }
    }
}
