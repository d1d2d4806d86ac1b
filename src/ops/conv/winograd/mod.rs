//! Winograd convolution: kernels of 3 and 5 at stride 1, by N² matrix products.
//!
//! The input is cut into tiles of N × N that overlap by K − 1, and each tile gives M × M outputs: N = M + K − 1. The transforms
//! of a tile, of a kernel and of their outputs are N² numbers each, and the convolution is a sum of products over the channels
//! for each of these numbers:
//!
//! ```text
//! U = G g Gᵀ      V = Bᵀ d B      Y = Aᵀ (Σ over channels of U ∘ V) A
//! ```
//!
//! F(4, 3), a kernel of 3 with 4 × 4 outputs, takes 36 multiplications instead of 144; [`Filter`] has the others. Intermediate
//! numbers grow and cancel, so rounding errors are larger than in direct convolution; docs/performance.md has numbers.
//!
//! In memory: V `[point][tile][channel]`, U `[panel][point][channel][16]`, products `[panel][point][tile][16]`. A few images
//! are processed at a time, so that V stays in the cache.
#![allow(
    clippy::inline_always,
    reason = "loops must be inlined into the function that is compiled for the instruction set"
)]

mod backward;
mod band;
mod forward;
mod filter;
mod tiles;
mod transform;
mod weights;

pub use backward::backward_weights;
pub use forward::forward;
pub use weights::pack;

use self::filter::Filter;
use super::{Geometry, evenly};
use crate::ops::simd::{LANES, ROW};
use crate::ops::tile::{PANEL, TOGETHER};

/// The most panels whose products are computed before they are transformed: V of one point is read from the first-level cache
/// for all of them.
const SET: usize = 4;

/// Unused floats between the points of V and of products: without them, all points would share one set of the cache.
const GAP: usize = 48;

/// About how many floats of V and of products are made at a time: they stay in a core's own cache.
const NEAR: usize = 128 << 10;

/// The least number of tiles made at a time in the passes that read U, because U comes from a more distant cache.
const FEWEST: usize = 96;

/// About how many floats of V and of gradients are made at a time for the weight gradient, if those are enough tiles.
const NEAR_GRADIENT: usize = 256 << 10;

/// How many tiles are enough: dU is transformed back once for all of them.
const ENOUGH: usize = 64;

/// Otherwise: the most floats of V made at a time for the weight gradient, and about how many tiles.
const FAR: usize = 1 << 21;
const MOST: usize = 160;

/// A Winograd convolution on some images, and its memory layout.
#[derive(Clone, Copy, Debug)]
pub struct Winograd<'a> {
    geometry: &'a Geometry,
    images: usize,
    filter: Filter,
}

impl<'a> Winograd<'a> {
    /// Whether `geometry` can be computed this way.
    pub fn can(geometry: &Geometry) -> bool {
        let blocks = |channels: usize| geometry.groups == 1 || channels.is_multiple_of(LANES);
        // The place of a tile in V must fit into 32 bits. With several images it is never larger than with one large image.
        let fits = || {
            let one = Winograd::new(geometry, 1);
            u32::try_from(one.tiles() * one.inputs()).is_ok()
        };
        geometry.stride == 1
            && matches!(geometry.kernel, 3 | 5)
            && blocks(geometry.group_inputs())
            && blocks(geometry.group_outputs())
            && fits()
    }

    /// For `images` images of `geometry`, for which [`can`](Self::can) must be true.
    pub fn new(geometry: &'a Geometry, images: usize) -> Self {
        Self {
            geometry,
            images,
            filter: Filter::of(geometry),
        }
    }

    /// How many images are best processed together in a pass that reads U, at most `most`, in even parts.
    pub fn images(geometry: &Geometry, most: usize) -> usize {
        let one = Winograd::new(geometry, 1);
        let near = NEAR / (one.square() * one.tiles() * (one.inputs() + TOGETHER * PANEL));
        evenly(most, near.max(FEWEST.div_ceil(one.tiles())))
    }

    /// The same for the weight gradient.
    pub fn images_of_gradient(geometry: &Geometry, most: usize) -> usize {
        let one = Winograd::new(geometry, 1);
        let points = one.square() * one.tiles();
        let near = NEAR_GRADIENT / (points * (one.inputs() + TOGETHER * PANEL));
        let far = (FAR / (points * one.inputs())).min(MOST.div_ceil(one.tiles()));
        evenly(most, if near * one.tiles() >= ENOUGH { near } else { far })
    }

    /// N²: products per tile.
    fn square(&self) -> usize {
        self.filter.points().pow(2)
    }

    /// Tiles of one image: vertically, horizontally.
    fn grid(&self) -> [usize; 2] {
        self.filter.grid(self.geometry)
    }

    /// Tiles of all images.
    fn tiles(&self) -> usize {
        self.images * self.grid().iter().product::<usize>()
    }

    /// Channels of V: those of a group, rounded up to whole rows.
    fn inputs(&self) -> usize {
        self.geometry.group_inputs().next_multiple_of(ROW)
    }

    /// Floats of one point of V.
    fn input_point(&self) -> usize {
        self.tiles() * self.inputs() + GAP
    }

    /// Floats of one point of the products of a panel, or of the gradients of a panel.
    fn output_point(&self) -> usize {
        self.tiles() * PANEL + GAP
    }

    /// Floats of U of one panel.
    pub fn panel(geometry: &Geometry) -> usize {
        Winograd::new(geometry, 1).square() * geometry.group_inputs() * PANEL
    }

    /// Columns of a band of the input: as far as a row of tiles reaches.
    fn width(&self) -> usize {
        self.grid()[1] * self.filter.side() + self.filter.points() - self.filter.side()
    }

    /// Floats of a band.
    fn band(&self) -> usize {
        self.filter.points() * self.width() * ROW
    }

    /// Floats of scratch for either pass: V, then products or gradients, then the gradient of U, then a band, then lists.
    pub fn scratch(&self) -> usize {
        let products = SET * self.square() * self.output_point();
        let gradients = TOGETHER * Self::panel(self.geometry);
        let points = self.square() * self.input_point() + products + gradients;
        points + self.band() + self.tiles() + self.inputs()
    }

    /// Cuts `scratch`, and lists where the tiles and the channels of V begin.
    fn areas<'s>(&self, scratch: &'s mut [f32]) -> Areas<'s> {
        let (inputs, rest) = scratch.split_at_mut(self.square() * self.input_point());
        let (outputs, rest) = rest.split_at_mut(SET * self.square() * self.output_point());
        let (kernels, rest) = rest.split_at_mut(TOGETHER * Self::panel(self.geometry));
        let (band, rest) = rest.split_at_mut(self.band());
        let (tiles, rest) = rest.split_at_mut(self.tiles());
        let tiles: &mut [u32] = bytemuck::cast_slice_mut(tiles);
        let channels: &mut [u32] = bytemuck::cast_slice_mut(&mut rest[..self.geometry.group_inputs()]);
        for (i, tile) in tiles.iter_mut().enumerate() {
            *tile = (i * self.inputs()) as u32;
        }
        for (i, channel) in channels.iter_mut().enumerate() {
            *channel = i as u32;
        }
        Areas {
            inputs,
            outputs,
            kernels,
            band,
            tiles,
            channels,
        }
    }
}

/// Scratch, cut for one Winograd convolution.
struct Areas<'s> {
    /// V.
    inputs: &'s mut [f32],
    /// Products, or gradients of the outputs.
    outputs: &'s mut [f32],
    /// The gradient of U, for the panels that are processed together.
    kernels: &'s mut [f32],
    /// Rows that tiles are cut from, or assembled in.
    band: &'s mut [f32],
    /// Where each tile begins in a point of V.
    tiles: &'s [u32],
    /// Where each channel begins in a tile of V.
    channels: &'s [u32],
}
