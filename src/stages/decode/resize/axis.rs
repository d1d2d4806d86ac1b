//! Along one axis: which pixels of the stored image make up each pixel of the resized one.

use super::WEIGHT_BITS;

/// The taps of each wanted pixel, in pairs, as vector instructions multiply them.
#[derive(Default)]
pub(super) struct Axis {
    /// First tap of each pixel, counted from `start`.
    first: Vec<u32>,
    /// `pairs` per pixel.
    weights: Vec<[i16; 2]>,
    pairs: usize,
    start: u32,
    end: u32,
}

impl Axis {
    /// Prepares the part (start, length) of `to` resized pixels, scaled to `size` pixels, from `from` stored pixels. Returns
    /// the first needed pixel and the number of needed pixels.
    pub(super) fn prepare(&mut self, from: u32, to: u32, (at, length): (u32, u32), size: u32) -> (u32, u32) {
        let scale = f64::from(from) / f64::from(to);
        // Exactly 1 if the part itself is not scaled: then a pixel's place does not depend on where the part begins.
        let zoom = f64::from(length) / f64::from(size);
        let radius = (scale * zoom).max(1.0);
        let center = |i: u32| (f64::from(at) + (f64::from(i) + 0.5) * zoom) * scale;
        // The pixels whose centres lie inside the triangle; at least the nearest.
        let support = |center: f64| {
            let low = (center - radius + 0.5).floor().max(0.0) as u32;
            let high = ((center + radius + 0.5).floor() as u32).min(from);
            (low, high.max(low + 1))
        };
        self.start = support(center(0)).0;
        self.end = support(center(size - 1)).1;
        self.pairs = (2.0 * radius + 2.0) as usize / 2 + 1;
        self.first.clear();
        self.weights.clear();
        for i in 0..size {
            let center = center(i);
            let (low, high) = support(center);
            self.first.push(low - self.start);
            let at = self.weights.len();
            self.weights.resize(at + self.pairs, [0; 2]);
            let height = |tap: u32| (1.0 - (f64::from(tap) + 0.5 - center).abs() / radius).max(0.0);
            fill(&mut self.weights[at..], (high - low) as usize, |tap| {
                height(low + tap as u32)
            });
        }
        self.trim();
        self.span()
    }

    /// Removes trailing pairs that are 0 for all pixels.
    fn trim(&mut self) {
        let used = |pixel: &[[i16; 2]]| {
            pixel
                .iter()
                .rposition(|pair| *pair != [0; 2])
                .map_or(0, |last| last + 1)
        };
        let needed = self
            .weights
            .chunks_exact(self.pairs)
            .map(used)
            .max()
            .unwrap_or(1)
            .max(1);
        for pixel in 0..self.first.len() {
            let at = pixel * self.pairs;
            self.weights.copy_within(at..at + needed, pixel * needed);
        }
        self.weights.truncate(self.first.len() * needed);
        self.pairs = needed;
    }

    /// Number of pixels made.
    pub(super) fn len(&self) -> usize {
        self.first.len()
    }

    /// Taps per pixel.
    pub(super) fn taps(&self) -> usize {
        2 * self.pairs
    }

    /// The first needed pixel, and the number of needed pixels.
    pub(super) fn span(&self) -> (u32, u32) {
        (self.start, self.end - self.start)
    }

    /// First tap (counted from the first needed pixel) and weights of pixel `i`.
    pub(super) fn pixel(&self, i: usize) -> (usize, &[[i16; 2]]) {
        (self.first[i] as usize, &self.weights[i * self.pairs..][..self.pairs])
    }

    /// The same for each pixel.
    pub(super) fn pixels(&self) -> impl Iterator<Item = (usize, &[[i16; 2]])> {
        let weights = self.weights.chunks_exact(self.pairs);
        self.first.iter().map(|&first| first as usize).zip(weights)
    }
}

/// Fills in the weights of `taps` taps with the given heights, as fixed-point numbers that add up to exactly 1.
fn fill(weights: &mut [[i16; 2]], taps: usize, height: impl Fn(usize) -> f64) {
    let one = f64::from(1_u32 << WEIGHT_BITS);
    let sum: f64 = (0..taps).map(&height).sum();
    let flat = weights.as_flattened_mut();
    let (mut left, mut largest) = (1_i32 << WEIGHT_BITS, 0);
    for tap in 0..taps {
        // Rounds half up explicitly: the same on every machine.
        flat[tap] = (height(tap) / sum * one + 0.5).floor() as i16;
        left -= i32::from(flat[tap]);
        if flat[tap] > flat[largest] {
            largest = tap;
        }
    }
    flat[largest] += left as i16;
}
