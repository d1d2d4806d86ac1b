//! How a convolution is computed: decided from its shape and the configuration, never from what the machine is doing.

use super::layout::Layout;
use super::products::Products;
use super::winograd::Winograd;
use super::{Geometry, evenly};
use crate::config::compute::Method;
use crate::ops::map::Order;
use crate::ops::simd::LANES;
use crate::ops::tile::PANEL;

/// A way to compute a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Products at the points of overlapping tiles.
    Winograd,
    /// Tiles over the input itself.
    Direct,
    /// Products over windows laid out as columns.
    Products,
}

/// Positions that direct convolution works on together, about: a panel of weights is read from the cache for all of them.
const POSITIONS: usize = 1024;

/// Channels of a group that Winograd convolution needs on both sides: with fewer its transforms take longer than what they save.
const ENOUGH: usize = 16;

impl Algorithm {
    /// The word for it in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Winograd => "winograd",
            Self::Direct => "direct",
            Self::Products => "products",
        }
    }

    /// How `geometry`, with x in `order`, is computed.
    pub fn of(geometry: &Geometry, order: Order, method: Method) -> Self {
        let whole_blocks = geometry.groups == 1 || geometry.group_outputs().is_multiple_of(LANES);
        let channels = geometry.group_inputs().min(geometry.group_outputs());
        let winograd = method != Method::Direct && order == Order::Blocked && channels >= ENOUGH;
        let fits = || Layout::new(geometry, order, together(geometry)).fits();
        if winograd && Winograd::can(geometry) {
            Self::Winograd
        } else if whole_blocks && geometry.group_outputs() >= LANES && fits() {
            Self::Direct
        } else {
            Self::Products
        }
    }

    /// Images that are best worked on together, at most `most`.
    pub fn images(self, geometry: &Geometry, most: usize) -> usize {
        match self {
            Self::Winograd => Winograd::images(geometry, most),
            Self::Direct => evenly(most, together(geometry)),
            Self::Products => Products::images(geometry, most),
        }
    }

    /// The same for the weight gradient.
    pub fn images_of_gradient(self, geometry: &Geometry, most: usize) -> usize {
        match self {
            Self::Winograd => Winograd::images_of_gradient(geometry, most),
            Self::Direct | Self::Products => self.images(geometry, most),
        }
    }

    /// Floats of one panel of packed weights.
    pub fn panel(self, geometry: &Geometry) -> usize {
        match self {
            Self::Winograd => Winograd::panel(geometry),
            Self::Direct => geometry.patch() * PANEL,
            Self::Products => 0,
        }
    }
}

/// Images that direct convolution works on together, at most.
fn together(geometry: &Geometry) -> usize {
    POSITIONS.div_ceil(geometry.output.plane())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::Shape;

    #[test]
    fn large_maps_are_direct_too() {
        let geometry = Geometry {
            input: Shape::new(3, 256, 256),
            output: Shape::new(96, 256, 256),
            kernel: 7,
            stride: 1,
            padding: 3,
            groups: 1,
        };
        assert_eq!(Algorithm::of(&geometry, Order::Planar, Method::Auto), Algorithm::Direct);
    }
}
