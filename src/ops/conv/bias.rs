//! The gradient of the biases: a sum over positions and images.
#![allow(
    clippy::inline_always,
    reason = "loops must be inlined into the function that is compiled for the instruction set"
)]

use crate::ops::map::Map;
use crate::ops::simd::{self, LANES, Lanes, Simd, Work};

/// Parallel sums: each waits only for its own previous addition, and has fewer terms, so less rounding.
const SUMS: usize = 8;

/// Adds the sums over all positions to `db`, for some images of `map`, one after the other.
pub fn add_positions(map: Map, dy: &[f32], db: &mut [f32]) {
    simd::run(Add { map, dy, db });
}

struct Add<'a> {
    map: Map,
    dy: &'a [f32],
    db: &'a mut [f32],
}

impl Work for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let db = self.db.as_chunks_mut::<LANES>().0;
        for image in self.dy.chunks_exact(self.map.len()) {
            for (db, block) in db.iter_mut().zip(image.chunks_exact(self.map.block())) {
                let sum = sum(s, block.as_chunks().0);
                s.store(s.add(s.load(db), sum), db);
            }
        }
    }
}

/// The sum of all vectors: eight sums of every eighth vector, which are then added.
#[inline(always)]
fn sum<S: Simd>(s: S, vectors: &[Lanes]) -> S::Vector {
    let mut sums = [s.splat(0.0); SUMS];
    let (rounds, rest) = vectors.as_chunks::<SUMS>();
    for round in rounds {
        for (sum, vector) in sums.iter_mut().zip(round) {
            *sum = s.add(*sum, s.load(vector));
        }
    }
    for (sum, vector) in sums.iter_mut().zip(rest) {
        *sum = s.add(*sum, s.load(vector));
    }
    let [a, b, c, d, e, f, g, h] = sums;
    let (left, right) = (s.add(s.add(a, e), s.add(b, f)), s.add(s.add(c, g), s.add(d, h)));
    s.add(left, right)
}
