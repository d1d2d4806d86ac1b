//! Points at which devices exchange a map.

use std::ops::Range;

use crate::devices::share;
use crate::model::Placement;
use crate::ops::Shape;

/// What is done with the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// From a map that every device has as a whole, the network's input, to the own channels. No gradient is needed there.
    Slice,
    /// From each device's own channels to all channels.
    AllGather {
        /// Whether each device has a partial sum of the gradient; otherwise each has the whole gradient, as after the last layer.
        is_summed: bool,
    },
    /// From the own channels to these and `halo` neighbouring channels on each side.
    HaloExchange {
        /// Channels.
        halo: usize,
    },
    /// From own and neighbouring channels to only the own ones.
    HaloDrop {
        /// Channels.
        halo: usize,
    },
}

/// A layer that computes nothing but moves a map between devices.
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

    /// How many neighbouring channels precede and follow the own ones in a map with a halo.
    pub fn borders(&self, halo: usize) -> [usize; 2] {
        let Placement { index, count, .. } = self.placement;
        [index > 0, index + 1 < count].map(|has_neighbour| if has_neighbour { halo } else { 0 })
    }

    /// The part of one image that a device shows to the others.
    pub fn shown(&self) -> Shape {
        let channels = match self.kind {
            Kind::Slice => 0,
            // Shares may differ by one: this is room for the largest.
            Kind::AllGather { .. } => self.whole.channels.div_ceil(self.placement.count),
            // Its first and its last channels.
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
