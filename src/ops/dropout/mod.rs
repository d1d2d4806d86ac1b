//! Dropout (paper, section 4.2): each unit is set to zero with probability p while training, and multiplied by 1 − p in
//! evaluation. In place.
//!
//! ```text
//! training:   y[n][u] = m[n][u] · x[n][u],   dx[n][u] = m[n][u] · dy[n][u],   m = 0 with probability p, else 1
//! evaluation: y[n][u] = (1 − p) · x[n][u]
//! ```
//!
//! x, y: `[N][U]`. m is a pure function of (seed, step, layer, row, unit), so the backward pass draws it again.

pub mod cpu;
pub mod cuda;

use crate::rng::{Philox, Purpose};

/// The masks of one layer at one step.
#[derive(Clone, Debug)]
pub struct Masks {
    stream: Philox,
    /// A unit is kept if its 32 random bits are at least this: p · 2³².
    threshold: u64,
}

/// Some consecutive units of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Units {
    /// Number of the first.
    pub first: usize,
    /// Number of units in the layer.
    pub of: usize,
}

/// What a unit's 32 random bits must reach if it is kept, with `p` the probability of zero.
fn threshold(p: f32) -> u64 {
    (f64::from(p) * 4_294_967_296.0) as u64
}

impl Masks {
    /// The masks of the `layer`-th dropout layer at `step`. `p` is the probability of zero.
    pub fn new(seed: u64, step: u32, layer: u32, p: f32) -> Self {
        Self {
            stream: Philox::new(seed, Purpose::Dropout, step, layer),
            threshold: threshold(p),
        }
    }

    /// The random numbers of a row, from the group of four on that contains the number of the first unit of `place`.
    fn random(&self, row: usize, place: Units) -> Philox {
        let blocks = place.of.div_ceil(4);
        self.stream.clone().at_block((row * blocks + place.first / 4) as u32)
    }

    /// Sets a unit to zero if its 32 bits are below the threshold.
    #[inline(always)]
    #[allow(
        clippy::inline_always,
        reason = "it must be inlined into the function that is compiled for the instruction set"
    )]
    fn drop(&self, bits: u32, unit: &mut f32) {
        // Without a branch, which would often be mispredicted.
        *unit = if u64::from(bits) < self.threshold { 0.0 } else { *unit };
    }
}
