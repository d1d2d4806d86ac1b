//! Where a map changes hands between devices.

use std::ops::Range;

use crate::devices::share;
use crate::model::Rank;
use crate::ops::Shape;

/// What becomes of the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Own channels of a map that every device has whole: the network's input. No gradient is needed there.
    Select,
    /// All channels, of which each device has its own.
    Gather {
        /// Whether each device has a part of the gradient's sum; else each has all of it, as after the last layer.
        is_summed: bool,
    },
    /// Own channels and `halo` of the neighbours' on each side.
    Widen {
        /// Channels.
        halo: usize,
    },
    /// Own channels without the neighbours'.
    Narrow {
        /// Channels.
        halo: usize,
    },
}

/// A layer that computes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seam {
    /// What it does.
    pub kind: Kind,
    /// The device.
    pub rank: Rank,
    /// The whole map.
    pub whole: Shape,
}

impl Seam {
    /// Channels of a device.
    pub fn of(&self, number: usize) -> Range<usize> {
        share(self.whole.channels, number, self.rank.of)
    }

    /// Channels of this device.
    pub fn own(&self) -> Range<usize> {
        self.of(self.rank.number)
    }

    /// Neighbours' channels before and after its own in a widened map.
    pub fn borders(&self, halo: usize) -> [usize; 2] {
        let Rank { number, of, .. } = self.rank;
        [number > 0, number + 1 < of].map(|has_neighbour| if has_neighbour { halo } else { 0 })
    }

    /// What a device shows to the others of one image.
    pub fn shown(&self) -> Shape {
        let channels = match self.kind {
            Kind::Select => 0,
            // Shares may differ by one; room for the largest.
            Kind::Gather { .. } => self.whole.channels.div_ceil(self.rank.of),
            // The first and the last of its channels.
            Kind::Widen { halo } | Kind::Narrow { halo } => 2 * halo,
        };
        Shape { channels, ..self.whole }
    }

    /// The map before it.
    pub fn input(&self) -> Shape {
        let own = self.own().len();
        let channels = match self.kind {
            Kind::Select => self.whole.channels,
            Kind::Gather { .. } | Kind::Widen { .. } => own,
            Kind::Narrow { halo } => own + self.borders(halo).iter().sum::<usize>(),
        };
        Shape { channels, ..self.whole }
    }

    /// The map after it.
    pub fn output(&self) -> Shape {
        let own = self.own().len();
        let channels = match self.kind {
            Kind::Gather { .. } => self.whole.channels,
            Kind::Select | Kind::Narrow { .. } => own,
            Kind::Widen { halo } => own + self.borders(halo).iter().sum::<usize>(),
        };
        Shape { channels, ..self.whole }
    }
}
