//! Chooses how a convolution is computed: from its shape and the configuration, never from the state of the machine.

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
    /// Winograd's minimal filtering.
    Winograd,
    /// Sums over the input itself.
    Direct,
    /// Matrix products over windows laid out as columns (im2col).
    Products,
}

/// About how many positions direct convolution processes together: a panel of weights is read from the cache once for all.
const POSITIONS: usize = 1024;

/// The least number of channels per group, on both sides, for Winograd: with fewer, its transforms cost more than they save.
const ENOUGH: usize = 16;

impl Algorithm {
    /// Its name in reports.
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

    /// How many images are best processed together, at most `most`.
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

    /// Floats per panel of packed weights.
    pub fn panel(self, geometry: &Geometry) -> usize {
        match self {
            Self::Winograd => Winograd::panel(geometry),
            Self::Direct => geometry.patch() * PANEL,
            Self::Products => 0,
        }
    }
}

/// The most images that direct convolution processes together.
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
