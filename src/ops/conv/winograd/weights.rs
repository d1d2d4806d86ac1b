//! Transforms weights to the points, and their gradients back.

use super::Winograd;
use super::filter::Filter;
use super::tiles::{Points, PointsMut};
use super::transform::{Gather, Kernel, Sink, twice};
use crate::ops::conv::layout::{Element, Layout, Panel};
use crate::ops::conv::panels::Weights;
use crate::ops::map::Order;
use crate::ops::simd::{self, Number, Part, Simd, Vectors, Work};
use crate::ops::tile::PANEL;

/// U of one panel.
pub fn pack(geometry: &super::Geometry, weights: Weights<'_>, panel: &Panel, to: &mut [f32]) {
    match Filter::of(geometry) {
        Filter::F4x3 => simd::run(Pack::<3, 6>(geometry, weights, panel, to)),
        Filter::F5x3 => simd::run(Pack::<3, 7>(geometry, weights, panel, to)),
        Filter::F6x3 => simd::run(Pack::<3, 8>(geometry, weights, panel, to)),
        Filter::F4x5 => simd::run(Pack::<5, 8>(geometry, weights, panel, to)),
    }
}

struct Pack<'a, const R: usize, const N: usize>(&'a super::Geometry, Weights<'a>, &'a Panel, &'a mut [f32]);

impl<const R: usize, const N: usize> Work for Pack<'_, R, N> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self(geometry, weights, panel, to) = self;
        let point = Winograd::panel(geometry) / (N * N);
        for channel in 0..geometry.group_inputs() {
            let mut taps = [[[0.0; PANEL]; R]; R];
            for (i, row) in taps.iter_mut().enumerate() {
                for (j, tap) in row.iter_mut().enumerate() {
                    weights.at(geometry, panel, Element { i, channel, j }, tap);
                }
            }
            for part in 0..S::Part::COUNT {
                let mut square = [[S::Part::splat(s, 0.0); R]; R];
                for (numbers, taps) in square.iter_mut().zip(&taps) {
                    for (number, tap) in numbers.iter_mut().zip(taps) {
                        *number = S::Part::load(s, tap, part);
                    }
                }
                let mut points = PointsMut {
                    to: &mut *to,
                    point,
                    at: channel * PANEL,
                    part,
                };
                twice::<Kernel, S, S::Part, R, N>(s, &square, &mut points);
            }
        }
    }
}

/// Adds one panel's gradient, from its gradient at the points, to sums in the order of the window.
pub(super) struct Unpack<'a, const R: usize, const N: usize> {
    pub(super) layout: &'a Layout<'a>,
    /// The gradient at the points.
    pub(super) points: &'a [f32],
    pub(super) sums: &'a mut [f32],
}

impl<const R: usize, const N: usize> Work for Unpack<'_, R, N> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        debug_assert_eq!(self.layout.order, Order::Blocked);
        let point = self.points.len() / (N * N);
        let sums: &mut [[f32; PANEL]] = self.sums.as_chunks_mut().0;
        for channel in 0..self.layout.geometry.group_inputs() {
            for part in 0..S::Part::COUNT {
                let points = Points::<N> {
                    from: self.points,
                    point,
                    at: channel * PANEL,
                    part,
                };
                let layout = self.layout;
                let mut taps = Taps {
                    layout,
                    sums,
                    channel,
                    part,
                };
                twice::<Gather, S, S::Part, N, R>(s, &points, &mut taps);
            }
        }
    }
}

/// A channel's kernel elements among the sums. Values are added to them.
struct Taps<'a> {
    layout: &'a Layout<'a>,
    sums: &'a mut [[f32; PANEL]],
    channel: usize,
    part: usize,
}

impl<S: Vectors, V: Part<S>, const R: usize> Sink<S, V, R> for Taps<'_> {
    #[inline(always)]
    fn put(&mut self, s: S, i: usize, row: [V; R]) {
        for (j, tap) in row.into_iter().enumerate() {
            let channel = self.channel;
            let sum = &mut self.sums[self.layout.place(Element { i, channel, j })];
            V::load(s, sum, self.part).add(s, tap).store(s, sum, self.part);
        }
    }
}
