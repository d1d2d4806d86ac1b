//! The sums of a pass over a training set.

use super::moments::Moments;
use super::statistics::{MeanImage, Statistics};

/// Integer sums over frames of u8 RGB, and the number of skipped images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sums {
    side: Option<u32>,
    skipped: u64,
    moments: Moments,
    /// The sum at each position of the square frame, RGB interleaved; empty if no mean image is wanted.
    image: Vec<u64>,
}

impl Sums {
    /// Empty sums. `side` is the side of every frame, if a mean image is wanted.
    pub fn new(side: Option<u32>) -> Self {
        let places = side.map_or(0, |side| 3 * (side as usize).pow(2));
        Self {
            side,
            skipped: 0,
            moments: Moments::default(),
            image: vec![0; places],
        }
    }

    /// Adds a frame.
    pub fn add(&mut self, rgb: &[u8]) {
        self.moments.add(rgb);
        for (sum, &value) in self.image.iter_mut().zip(rgb) {
            *sum += u64::from(value);
        }
    }

    /// Counts an image that could not be decoded.
    pub fn skip(&mut self) {
        self.skipped += 1;
    }

    /// Adds the sums of another worker.
    pub fn merge(&mut self, other: &Self) {
        self.skipped += other.skipped;
        self.moments.merge(&other.moments);
        self.image
            .iter_mut()
            .zip(&other.image)
            .for_each(|(sum, part)| *sum += part);
    }

    /// The statistics; `None` if nothing was counted.
    pub fn finish(&self) -> Option<Statistics> {
        let images = self.moments.images;
        let image = self.side.map(|side| MeanImage::of_sums(side, &self.image, images));
        self.moments.statistics(self.skipped, image)
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
        statistics.keep(&folder.path().join("s.safetensors")).unwrap();
        let kept = Statistics::kept(&folder.path().join("s.safetensors")).unwrap();
        assert_eq!(kept, Some(statistics));
    }
}
