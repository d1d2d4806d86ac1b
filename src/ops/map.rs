//! How the elements of a feature map are laid out in memory.
//!
//! The input of the network, and vectors, are *planar*: `[channel][y][x]`. Feature maps between them are *blocked*:
//! `[channel / 8][y][x][channel % 8]`. Eight channels of one position fill a vector register, whatever the size of the map.
//! Missing
//! channels of the last block are zero, and every operation keeps them zero.

use std::ops::Range;

use super::Shape;
use super::simd::LANES;

/// The order of the elements of one image's feature map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// `[channel][y][x]`.
    Planar,
    /// `[channel / 8][y][x][channel % 8]`.
    Blocked,
}

impl Order {
    /// Channels per block: 1 or 8.
    pub const fn lanes(self) -> usize {
        match self {
            Self::Planar => 1,
            Self::Blocked => LANES,
        }
    }
}

/// One image's feature map: its shape, and its memory layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Map {
    /// Channels, rows and columns.
    pub shape: Shape,
    /// The order of the elements.
    pub order: Order,
}

impl Map {
    /// A planar map.
    pub const fn planar(shape: Shape) -> Self {
        let order = Order::Planar;
        Self { shape, order }
    }

    /// A blocked map.
    pub const fn blocked(shape: Shape) -> Self {
        let order = Order::Blocked;
        Self { shape, order }
    }

    /// Number of blocks.
    pub const fn blocks(self) -> usize {
        self.shape.channels.div_ceil(self.order.lanes())
    }

    /// Floats per block.
    pub const fn block(self) -> usize {
        self.shape.plane() * self.order.lanes()
    }

    /// Floats per image.
    pub const fn len(self) -> usize {
        self.blocks() * self.block()
    }

    /// Whether there is no element.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Whether both orders are identical, as for a vector of whole blocks.
    pub const fn is_both(self) -> bool {
        self.shape.plane() == 1 && self.shape.channels.is_multiple_of(LANES)
    }

    /// Copies one image from this order to `order`.
    pub fn reorder(self, from: &[f32], order: Order, to: &mut [f32]) {
        match (self.order, order) {
            (Order::Planar, Order::Blocked) => self.to_blocked(from, to),
            (Order::Blocked, Order::Planar) => self.to_planar(from, to),
            _ => to.copy_from_slice(from),
        }
    }

    /// Copies `channels` of one image to another map of the same height and width, from its channel `first` on.
    pub fn copy_channels(self, from: &[f32], channels: Range<usize>, to_map: Self, to: &mut [f32], first: usize) {
        let plane = self.shape.plane();
        for (channel, target) in channels.zip(first..) {
            let from = from[self.start_of(channel)..].iter().step_by(self.order.lanes());
            let to = to[to_map.start_of(target)..].iter_mut().step_by(to_map.order.lanes());
            to.zip(from).take(plane).for_each(|(to, from)| *to = *from);
        }
    }

    /// Writes zeros for the missing channels of an image's last block.
    pub fn clear_absent(self, image: &mut [f32]) {
        let lanes = self.order.lanes();
        let present = self.shape.channels % lanes;
        if present > 0 {
            let last = (self.blocks() - 1) * self.block();
            let block = image[last..].chunks_exact_mut(lanes);
            block.for_each(|lanes| lanes[present..].fill(0.0));
        }
    }

    /// The place of a channel's first element.
    const fn start_of(self, channel: usize) -> usize {
        let lanes = self.order.lanes();
        channel / lanes * self.block() + channel % lanes
    }

    fn to_blocked(self, from: &[f32], to: &mut [f32]) {
        let plane = self.shape.plane();
        for (planes, block) in from.chunks(LANES * plane).zip(to.chunks_exact_mut(LANES * plane)) {
            let block = block.as_chunks_mut::<LANES>().0;
            let present = planes.len() / plane;
            for (lane, plane) in planes.chunks_exact(plane).enumerate() {
                block
                    .iter_mut()
                    .zip(plane)
                    .for_each(|(lanes, value)| lanes[lane] = *value);
            }
            block.iter_mut().for_each(|lanes| lanes[present..].fill(0.0));
        }
    }

    fn to_planar(self, from: &[f32], to: &mut [f32]) {
        let plane = self.shape.plane();
        for (block, planes) in from.chunks_exact(LANES * plane).zip(to.chunks_mut(LANES * plane)) {
            let block = block.as_chunks::<LANES>().0;
            for (lane, plane) in planes.chunks_exact_mut(plane).enumerate() {
                plane
                    .iter_mut()
                    .zip(block)
                    .for_each(|(value, lanes)| *value = lanes[lane]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_survives_both_orders_and_absent_channels_are_zero() {
        for (channels, height, width) in [(3, 5, 4), (8, 1, 1), (17, 2, 3), (1, 1, 7)] {
            let planar = Map::planar(Shape::new(channels, height, width));
            let blocked = Map::blocked(planar.shape);
            let values: Vec<f32> = (1..=planar.len()).map(|i| i as f32).collect();
            let (mut there, mut back) = (vec![9.0; blocked.len()], vec![9.0; planar.len()]);
            planar.reorder(&values, Order::Blocked, &mut there);
            blocked.reorder(&there, Order::Planar, &mut back);
            assert_eq!(values, back);
            assert_eq!(
                there.iter().filter(|value| **value == 0.0).count(),
                blocked.len() - planar.len()
            );
            assert_eq!(blocked.is_both(), there == values);
        }
    }
}
