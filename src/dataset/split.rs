//! Splits a data set in two: one part to train on, and one set aside for validation.

use std::sync::Arc;

use super::ignored::Ignored;
use super::{Dataset, DatasetError};
use crate::rng::{Philox, Purpose};

impl Dataset {
    /// The position of sample `i` in the whole.
    pub(super) fn place(&self, i: usize) -> usize {
        self.places.as_ref().map_or(i, |places| places[i] as usize)
    }

    /// The number of samples in the whole, if this is a part.
    pub fn part_of(&self) -> Option<usize> {
        self.places.as_ref().map(|_| self.whole.samples.len())
    }

    /// Sets `fraction` of each class aside, chosen by `seed`. Returns the remaining part and the part set aside. A class of
    /// two or more samples has some in each part; a single sample is not set aside. Both parts have the classes, canonical
    /// indices and order of the whole, and share its storage.
    ///
    /// A sample is chosen by its canonical index in the source, so a pack of that source is split in the same way.
    pub fn split(self, fraction: f32, seed: u64) -> Result<(Self, Self), DatasetError> {
        let aside = self.set_aside(f64::from(fraction), seed);
        let places = |is_aside: bool| -> Vec<u32> {
            let places = (0..self.len()).filter(|&i| aside[i] == is_aside);
            places.map(|i| self.place(i) as u32).collect()
        };
        let (rest, aside) = (places(false), places(true));
        if aside.is_empty() {
            return Err(DatasetError::NothingToSetAside {
                location: self.location().to_owned(),
            });
        }
        let aside = Self {
            whole: Arc::clone(&self.whole),
            places: Some(aside),
            ignored: Ignored::default(),
        };
        let rest = Self {
            places: Some(rest),
            ..self
        };
        Ok((rest, aside))
    }

    /// For each sample, whether it is set aside.
    fn set_aside(&self, fraction: f64, seed: u64) -> Vec<bool> {
        let mut classes = vec![Vec::new(); self.classes().len()];
        for i in 0..self.len() {
            let canonical = self.canonical(i);
            let key = Philox::new(seed, Purpose::Split, canonical, 0).next_u32();
            // Equal keys are told apart by the canonical index, which is the same in every pack of the source.
            classes[self.label(i) as usize].push((key, canonical, i));
        }
        let mut aside = vec![false; self.len()];
        for class in &mut classes {
            class.sort_unstable();
            let chosen = count(fraction, class.len());
            class[..chosen].iter().for_each(|&(.., i)| aside[i] = true);
        }
        aside
    }
}

/// The number of samples to set aside in a class of `samples`. With two or more it is at least one, and never all.
fn count(fraction: f64, samples: usize) -> usize {
    match samples {
        0 | 1 => 0,
        samples => ((fraction * samples as f64).round() as usize).clamp(1, samples - 1),
    }
}
