//! A convolution on some images, prepared for its algorithm.

use super::epilogue::Epilogue;
use super::layout::Layout;
use super::products::Products;
use super::winograd::{self, Winograd};
use super::{Algorithm, Geometry, direct};
use crate::ops::map::Order;

/// The weights of a convolution: as they are stored, and as they were packed for this pass.
#[derive(Clone, Copy)]
pub struct Filters<'a> {
    /// w, `[O][C/G][K][K]`.
    pub weight: &'a [f32],
    /// The algorithm's own copy; empty if it has none.
    pub packed: &'a [f32],
}

/// A convolution on a fixed number of images.
pub enum Prepared<'a> {
    Winograd(Winograd<'a>),
    Direct(Layout<'a>),
    Products(Products<'a>),
}

impl<'a> Prepared<'a> {
    /// `geometry` on `images` images by `algorithm`, with x in `order`.
    pub fn new(algorithm: Algorithm, geometry: &'a Geometry, order: Order, images: usize) -> Self {
        match algorithm {
            Algorithm::Winograd => Self::Winograd(Winograd::new(geometry, images)),
            Algorithm::Direct => Self::Direct(Layout::new(geometry, order, images)),
            Algorithm::Products => Self::Products(Products::new(geometry, order, images)),
        }
    }

    /// Floats of scratch.
    pub fn scratch(&self) -> usize {
        match self {
            Self::Winograd(winograd) => winograd.scratch(),
            Self::Direct(layout) => layout.scratch(),
            Self::Products(products) => products.scratch(),
        }
    }

    /// y from x.
    pub fn forward(&self, x: &[f32], filters: Filters<'_>, epilogue: Epilogue<'_>, y: &mut [f32], scratch: &mut [f32]) {
        match self {
            Self::Winograd(winograd) => winograd::forward(winograd, x, filters.packed, epilogue, y, scratch),
            Self::Direct(layout) => direct::forward(layout, x, filters.packed, epilogue, y, scratch),
            Self::Products(products) => products.forward(x, filters.weight, epilogue, y, scratch),
        }
    }

    /// Adds the weight gradient to `dw`: in panels, by products as it is stored.
    pub fn backward_weights(&self, x: &[f32], dy: &[f32], dw: &mut [f32], scratch: &mut [f32]) {
        match self {
            Self::Winograd(winograd) => winograd::backward_weights(winograd, x, dy, dw, scratch),
            Self::Direct(layout) => direct::backward_weights(layout, x, dy, dw, scratch),
            Self::Products(products) => products.backward_weights(x, dy, dw, scratch),
        }
    }
}
