//! The backward pass that activations share: dx from dy and y, element by element.
#![allow(
    clippy::inline_always,
    reason = "loops must be inlined into the function that is compiled for the instruction set"
)]

use std::marker::PhantomData;

use super::simd::{self, LANES, Simd, Work};

/// An activation whose gradient follows from its output.
pub trait Activation {
    /// dx of eight values, from their y and dy. Implementations need `#[inline(always)]`.
    fn gradient<S: Simd>(s: S, y: S::Vector, dy: S::Vector) -> S::Vector;
}

/// dx from dy, in place, given y.
pub fn backward<A: Activation>(y: &[f32], dy: &mut [f32]) {
    let activation = PhantomData::<A>;
    simd::run(Backward { y, dy, activation });
}

struct Backward<'a, A> {
    y: &'a [f32],
    dy: &'a mut [f32],
    activation: PhantomData<A>,
}

impl<A: Activation> Work for Backward<'_, A> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (ys, y_rest) = self.y.as_chunks::<LANES>();
        let (dys, dy_rest) = self.dy.as_chunks_mut::<LANES>();
        for (dy, y) in dys.iter_mut().zip(ys) {
            s.store(A::gradient(s, s.load(y), s.load(dy)), dy);
        }
        // The same instructions for the last few values, so that a value's bits do not depend on its position.
        let (mut y, mut dy) = ([0.0; LANES], [0.0; LANES]);
        y[..y_rest.len()].copy_from_slice(y_rest);
        dy[..dy_rest.len()].copy_from_slice(dy_rest);
        s.store(A::gradient(s, s.load(&y), s.load(&dy)), &mut dy);
        dy_rest.copy_from_slice(&dy[..dy_rest.len()]);
    }
}
