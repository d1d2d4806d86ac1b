//! The minimal filtering that a convolution uses.

use crate::ops::conv::Geometry;

/// F(M, K): tiles of M × M outputs, for kernels of K.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    /// 2.25 multiplications per output instead of 9.
    F4x3,
    /// 1.96 instead of 9.
    F5x3,
    /// 1.78 instead of 9.
    F6x3,
    /// 4 instead of 25.
    F4x5,
}

impl Filter {
    /// The filter with the fewest multiplications for `geometry`; of equals, the most exact one. Outputs beyond the edge of the
    /// map count, too: maps of 13 use tiles of 5 (15 outputs per side) instead of 4 (16) or 6 (18).
    pub(super) fn of(geometry: &Geometry) -> Self {
        if geometry.kernel == 5 {
            return Self::F4x5;
        }
        let multiplications = |filter: &Self| {
            let [down, across] = filter.grid(geometry);
            down * across * filter.points().pow(2)
        };
        [Self::F4x3, Self::F5x3, Self::F6x3]
            .into_iter()
            .min_by_key(multiplications)
            .unwrap_or(Self::F4x3)
    }

    /// M: side of the outputs.
    pub(super) fn side(self) -> usize {
        match self {
            Self::F4x3 | Self::F4x5 => 4,
            Self::F5x3 => 5,
            Self::F6x3 => 6,
        }
    }

    /// N: side of the inputs, which is also the number of points in one dimension.
    pub(super) fn points(self) -> usize {
        match self {
            Self::F4x3 => 6,
            Self::F5x3 => 7,
            Self::F6x3 | Self::F4x5 => 8,
        }
    }

    /// Tiles of one image: vertically, horizontally.
    pub(super) fn grid(self, geometry: &Geometry) -> [usize; 2] {
        let output = geometry.output;
        [output.height, output.width].map(|length| length.div_ceil(self.side()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::Shape;

    #[test]
    fn the_filter_follows_from_what_hangs_over_the_edge() {
        let filter = |side, kernel| {
            let map = Shape::new(16, side, side);
            Filter::of(&Geometry {
                input: map,
                output: map,
                kernel,
                stride: 1,
                padding: kernel / 2,
                groups: 1,
            })
        };
        assert_eq!(filter(13, 3), Filter::F5x3);
        assert_eq!(filter(12, 3), Filter::F6x3);
        assert_eq!(filter(8, 3), Filter::F4x3);
        assert_eq!(filter(24, 3), Filter::F6x3);
        assert_eq!(filter(16, 3), Filter::F4x3, "of equals the most exact");
        assert_eq!(filter(13, 5), Filter::F4x5);
    }
}
