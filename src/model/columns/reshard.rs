//! Where a map changes hands between devices.

use std::ops::Range;

use crate::devices::share;
use crate::model::Placement;
use crate::ops::Shape;

/// What becomes of the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Own channels of a map that every device has whole: the network's input. No gradient is needed there.
    Slice,
    /// All channels, of which each device has its own.
    AllGather {
        /// Whether each device has a part of the gradient's sum; else each has all of it, as after the last layer.
        is_summed: bool,
    },
    /// Own channels and `halo` of the neighbours' on each side.
    HaloExchange {
        /// Channels.
        halo: usize,
    },
    /// Own channels without the neighbours'.
    HaloDrop {
        /// Channels.
        halo: usize,
    },
}

/// A layer that computes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reshard {
    /// What it does.
    pub kind: Kind,
    /// The device.
    pub placement: Placement,
    /// The whole map.
    pub whole: Shape,
}

impl Reshard {
    /// Channels of a device.
    pub fn of(&self, number: usize) -> Range<usize> {
        share(self.whole.channels, number, self.placement.count)
    }

    /// Channels of this device.
    pub fn own(&self) -> Range<usize> {
        self.of(self.placement.index)
    }

    /// Neighbours' channels before and after its own in a widened map.
    pub fn borders(&self, halo: usize) -> [usize; 2] {
        let Placement { index, count, .. } = self.placement;
        [index > 0, index + 1 < count].map(|has_neighbour| if has_neighbour { halo } else { 0 })
    }

    /// What a device shows to the others of one image.
    pub fn shown(&self) -> Shape {
        let channels = match self.kind {
            Kind::Slice => 0,
            // Shares may differ by one; room for the largest.
            Kind::AllGather { .. } => self.whole.channels.div_ceil(self.placement.count),
            // The first and the last of its channels.
            Kind::HaloExchange { halo } | Kind::HaloDrop { halo } => 2 * halo,
        };
        Shape { channels, ..self.whole }
    }

    /// The map before it.
    pub fn input(&self) -> Shape {
        let own = self.own().len();
        let channels = match self.kind {
            Kind::Slice => self.whole.channels,
            Kind::AllGather { .. } | Kind::HaloExchange { .. } => own,
            Kind::HaloDrop { halo } => own + self.borders(halo).iter().sum::<usize>(),
        };
        Shape { channels, ..self.whole }
    }

    /// The map after it.
    pub fn output(&self) -> Shape {
        let own = self.own().len();
        let channels = match self.kind {
            Kind::AllGather { .. } => self.whole.channels,
            Kind::Slice | Kind::HaloDrop { .. } => own,
            Kind::HaloExchange { halo } => own + self.borders(halo).iter().sum::<usize>(),
        };
        Shape { channels, ..self.whole }
    }
}
