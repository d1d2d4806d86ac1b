//! How a device exchanges maps at its reshards: through memory that all devices see.

use std::ops::Range;
use std::sync::Arc;

use crate::devices::cpu::Threads;
use crate::devices::{Communicator, PeerLost};
use crate::flow::stopwatch::Stopwatch;
use crate::model::columns::{Kind, Reshard};
use crate::ops::map::Map;

/// A map of every image of a batch.
#[derive(Clone, Copy)]
pub struct Images<'a> {
    /// How one image lies in memory.
    pub map: Map,
    /// Image after image.
    pub data: &'a [f32],
}

impl Images<'_> {
    fn count(&self) -> usize {
        self.data.len() / self.map.len()
    }

    /// Copies channels of image `n` to `to`, an image of the map `to_map`, from its channel `first` on.
    fn copy(&self, n: usize, channels: Range<usize>, to_map: Map, to: &mut [f32], first: usize) {
        let image = &self.data[n * self.map.len()..][..self.map.len()];
        self.map.copy_channels(image, channels, to_map, to, first);
    }
}

/// The memory of a reshard's pass over all images.
pub struct Operands<'a> {
    /// What comes in.
    pub from: Images<'a>,
    /// How an image lies in `to`.
    pub after: Map,
    /// What goes out.
    pub to: &'a mut [f32],
    /// Memory that all devices see: each shows its part of every image here.
    pub space: &'a mut [f32],
}

/// A device's connection to the other columns.
pub struct Columns {
    communicator: Box<dyn Communicator<Buffer = [f32]>>,
    threads: Arc<Threads>,
}

/// What all devices show of their images.
struct Shown<'a> {
    space: &'a [f32],
    images: usize,
    /// Floats per image.
    image: usize,
}

impl Shown<'_> {
    /// What device `number` shows of image `n`.
    fn of(&self, number: usize, n: usize) -> &[f32] {
        &self.space[(number * self.images + n) * self.image..][..self.image]
    }
}

impl Columns {
    /// Exchanges by `communicator`, copies by `threads`.
    pub fn new(communicator: Box<dyn Communicator<Buffer = [f32]>>, threads: Arc<Threads>) -> Self {
        Self { communicator, threads }
    }

    /// Whether this device reports what all devices know.
    pub fn is_leader(&self) -> bool {
        self.communicator.rank() == 0
    }

    /// Time that the device has waited for others.
    pub fn waits(&self) -> Arc<Stopwatch> {
        self.communicator.waits()
    }

    /// Shows this device's images to the others and sees theirs. `show` writes one image of this device.
    fn show<'a>(
        &mut self,
        reshard: &Reshard,
        images: usize,
        space: &'a mut [f32],
        show: impl Fn(usize, &mut [f32]) + Sync,
    ) -> Result<Shown<'a>, PeerLost> {
        let image = Map::planar(reshard.shown()).len();
        let space = &mut space[..reshard.placement.count * images * image];
        let own = &mut space[reshard.placement.index * images * image..][..images * image];
        self.threads.each_part(own, image, show);
        self.communicator.all_gather(&mut [&mut *space])?;
        Ok(Shown { space, images, image })
    }

    /// Writes every image of `to` with `write`, and zeros for the channels that the last block lacks.
    fn fill(&self, map: Map, to: &mut [f32], write: impl Fn(usize, &mut [f32]) + Sync) {
        self.threads.each_part(to, map.len(), |n, to| {
            write(n, to);
            map.clear_absent(to);
        });
    }

    /// All channels, from each device's own.
    fn all_gather(&mut self, reshard: &Reshard, operands: Operands<'_>) -> Result<(), PeerLost> {
        let Operands { from, after, to, space } = operands;
        let shown = Map::planar(reshard.shown());
        let all = self.show(reshard, from.count(), space, |n, to| {
            from.copy(n, 0..from.map.shape.channels, shown, to, 0);
        })?;
        self.fill(after, to, |n, to| {
            for number in 0..reshard.placement.count {
                let channels = reshard.of(number);
                shown.copy_channels(all.of(number, n), 0..channels.len(), after, to, channels.start);
            }
        });
        Ok(())
    }

    /// The gradient of this device's own channels, summed over the devices.
    fn reduce_scatter(&mut self, reshard: &Reshard, operands: Operands<'_>) -> Result<(), PeerLost> {
        let Operands { from, after, to, space } = operands;
        let shown = Map::planar(reshard.shown());
        let images = from.count();
        let area = images * shown.len();
        let space = &mut space[..reshard.placement.count * area];
        self.threads.each_part(space, shown.len(), |i, to| {
            let (number, n) = (i / images, i % images);
            let channels = reshard.of(number);
            from.copy(n, channels.clone(), shown, to, 0);
            // Where this share is smaller than the largest.
            to[channels.len() * shown.shape.plane()..].fill(0.0);
        });
        self.communicator.reduce_scatter(&mut [&mut *space])?;
        let own = Images {
            map: shown,
            data: &space[reshard.placement.index * area..][..area],
        };
        self.fill(after, to, |n, to| own.copy(n, 0..after.shape.channels, after, to, 0));
        Ok(())
    }

    /// This device's channels and those next to them.
    fn exchange_halo(&mut self, reshard: &Reshard, halo: usize, operands: Operands<'_>) -> Result<(), PeerLost> {
        let Operands { from, after, to, space } = operands;
        let shown = Map::planar(reshard.shown());
        let count = from.map.shape.channels;
        let all = self.show(reshard, from.count(), space, |n, to| {
            from.copy(n, 0..halo, shown, to, 0);
            from.copy(n, count - halo..count, shown, to, halo);
        })?;
        let [left, right] = reshard.borders(halo);
        let number = reshard.placement.index;
        self.fill(after, to, |n, to| {
            if left > 0 {
                shown.copy_channels(all.of(number - 1, n), halo..2 * halo, after, to, 0);
            }
            from.copy(n, 0..count, after, to, left);
            if right > 0 {
                shown.copy_channels(all.of(number + 1, n), 0..halo, after, to, left + count);
            }
        });
        Ok(())
    }

    /// Some of the channels that are here, from `first` on.
    fn slice(&self, first: usize, operands: Operands<'_>) {
        let Operands { from, after, to, .. } = operands;
        let channels = first..first + after.shape.channels;
        self.fill(after, to, |n, to| from.copy(n, channels.clone(), after, to, 0));
    }

    /// Computes a reshard's output from its input.
    pub fn forward(&mut self, reshard: &Reshard, operands: Operands<'_>) -> Result<(), PeerLost> {
        match reshard.kind {
            Kind::Slice => self.slice(reshard.own().start, operands),
            Kind::AllGather { .. } => self.all_gather(reshard, operands)?,
            Kind::HaloExchange { halo } => self.exchange_halo(reshard, halo, operands)?,
            Kind::HaloDrop { halo } => self.slice(reshard.borders(halo)[0], operands),
        }
        Ok(())
    }

    /// Computes the gradient of the input from that of the output.
    pub fn backward(&mut self, reshard: &Reshard, operands: Operands<'_>) -> Result<(), PeerLost> {
        match reshard.kind {
            Kind::Slice => unreachable!("no gradient is needed below the first parameters"),
            Kind::AllGather { is_summed: true } => self.reduce_scatter(reshard, operands)?,
            Kind::AllGather { is_summed: false } => self.slice(reshard.own().start, operands),
            // The gradients of the neighbours' channels are computed by the neighbours.
            Kind::HaloExchange { halo } => self.slice(reshard.borders(halo)[0], operands),
            Kind::HaloDrop { halo } => self.exchange_halo(reshard, halo, operands)?,
        }
        Ok(())
    }
}
