//! What a device does at its reshards: channels go into memory that all devices see, and come from there.

use std::convert::Infallible;
use std::sync::Arc;

use super::{Kind, Reshard};
use crate::devices::cpu::Threads;
use crate::devices::{Communicator, PeerLost};
use crate::flow::stopwatch::Stopwatch;
use crate::ops::map::Map;

/// The memory of a reshard's pass: `from` becomes `to`, each for all images; `space` is what the devices exchange.
pub struct Operands<'a> {
    /// How an image lies in `from`.
    pub before: Map,
    /// What is there.
    pub from: &'a [f32],
    /// How an image lies in `to`.
    pub after: Map,
    /// What is to be made.
    pub to: &'a mut [f32],
    /// Room for what every device shows of every image.
    pub space: &'a mut [f32],
}

/// Whoever brings maps over the reshards of a network.
pub trait Resharder: Send {
    /// Why it cannot.
    type Error: Send;
    /// A reshard's output from its input.
    fn forward(&mut self, reshard: &Reshard, operands: Operands<'_>) -> Result<(), Self::Error>;
    /// The gradient of its input from that of its output.
    fn backward(&mut self, reshard: &Reshard, operands: Operands<'_>) -> Result<(), Self::Error>;
}

/// For a network that is whole: it has no reshards.
pub struct Whole;

impl Resharder for Whole {
    type Error = Infallible;

    fn forward(&mut self, reshard: &Reshard, _: Operands<'_>) -> Result<(), Infallible> {
        unreachable!("{reshard:?} in a network that is whole")
    }

    fn backward(&mut self, reshard: &Reshard, _: Operands<'_>) -> Result<(), Infallible> {
        unreachable!("{reshard:?} in a network that is whole")
    }
}

/// A device's ties to the other columns.
pub struct Columns {
    communicator: Box<dyn Communicator<Buffer = [f32]>>,
    threads: Arc<Threads>,
}

/// What all devices show of their images.
struct Shown<'a> {
    space: &'a [f32],
    images: usize,
    /// Floats of an image.
    image: usize,
}

impl Shown<'_> {
    /// A device's share of an image.
    fn of(&self, number: usize, n: usize) -> &[f32] {
        &self.space[(number * self.images + n) * self.image..][..self.image]
    }
}

impl Columns {
    /// By `communicator`; channels are copied by `threads`.
    pub fn new(communicator: Box<dyn Communicator<Buffer = [f32]>>, threads: Arc<Threads>) -> Self {
        Self { communicator, threads }
    }

    /// Whether this device tells what all of them know.
    pub fn is_leader(&self) -> bool {
        self.communicator.rank() == 0
    }

    /// Time that the device has waited for others.
    pub fn waits(&self) -> Arc<Stopwatch> {
        self.communicator.waits()
    }

    /// What every device shows of its images: `show` writes an image of this one's.
    fn look_around<'a>(
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

    /// All channels from each device's own.
    fn gather(&mut self, reshard: &Reshard, operands: Operands<'_>) -> Result<(), PeerLost> {
        let Operands {
            before,
            from,
            after,
            to,
            space,
        } = operands;
        let shown = Map::planar(reshard.shown());
        let all = self.look_around(reshard, from.len() / before.len(), space, |n, to| {
            let channels = 0..before.shape.channels;
            before.copy_channels(&from[n * before.len()..][..before.len()], channels, shown, to, 0);
        })?;
        self.threads.each_part(to, after.len(), |n, to| {
            for number in 0..reshard.placement.count {
                let channels = reshard.of(number);
                shown.copy_channels(all.of(number, n), 0..channels.len(), after, to, channels.start);
            }
            after.clear_absent(to);
        });
        Ok(())
    }

    /// The sum over the devices of the own channels' gradient.
    fn scatter(&mut self, reshard: &Reshard, operands: Operands<'_>) -> Result<(), PeerLost> {
        let Operands {
            before,
            from,
            after,
            to,
            space,
        } = operands;
        let shown = Map::planar(reshard.shown());
        let images = from.len() / before.len();
        let area = images * shown.len();
        let space = &mut space[..reshard.placement.count * area];
        self.threads.each_part(space, shown.len(), |i, to| {
            let (number, n) = (i / images, i % images);
            let channels = reshard.of(number);
            before.copy_channels(
                &from[n * before.len()..][..before.len()],
                channels.clone(),
                shown,
                to,
                0,
            );
            // Where the share is less than the largest.
            to[channels.len() * shown.shape.plane()..].fill(0.0);
        });
        self.communicator.reduce_scatter(&mut [&mut *space])?;
        let own = &space[reshard.placement.index * area..][..area];
        self.threads.each_part(to, after.len(), |n, to| {
            let channels = 0..after.shape.channels;
            shown.copy_channels(&own[n * shown.len()..][..shown.len()], channels, after, to, 0);
            after.clear_absent(to);
        });
        Ok(())
    }

    /// Own channels and those next to them.
    fn widen(&mut self, reshard: &Reshard, halo: usize, operands: Operands<'_>) -> Result<(), PeerLost> {
        let Operands {
            before,
            from,
            after,
            to,
            space,
        } = operands;
        let shown = Map::planar(reshard.shown());
        let count = before.shape.channels;
        let all = self.look_around(reshard, from.len() / before.len(), space, |n, to| {
            let from = &from[n * before.len()..][..before.len()];
            before.copy_channels(from, 0..halo, shown, to, 0);
            before.copy_channels(from, count - halo..count, shown, to, halo);
        })?;
        let [left, right] = reshard.borders(halo);
        let number = reshard.placement.index;
        self.threads.each_part(to, after.len(), |n, to| {
            if left > 0 {
                shown.copy_channels(all.of(number - 1, n), halo..2 * halo, after, to, 0);
            }
            before.copy_channels(&from[n * before.len()..][..before.len()], 0..count, after, to, left);
            if right > 0 {
                shown.copy_channels(all.of(number + 1, n), 0..halo, after, to, left + count);
            }
            after.clear_absent(to);
        });
        Ok(())
    }

    /// Some channels of what is here, from `first` on.
    fn pick(&self, first: usize, operands: Operands<'_>) {
        let Operands {
            before,
            from,
            after,
            to,
            ..
        } = operands;
        let channels = first..first + after.shape.channels;
        self.threads.each_part(to, after.len(), |n, to| {
            let from = &from[n * before.len()..][..before.len()];
            before.copy_channels(from, channels.clone(), after, to, 0);
            after.clear_absent(to);
        });
    }
}

impl Resharder for Columns {
    type Error = PeerLost;

    fn forward(&mut self, reshard: &Reshard, operands: Operands<'_>) -> Result<(), PeerLost> {
        match reshard.kind {
            Kind::Slice => self.pick(reshard.own().start, operands),
            Kind::AllGather { .. } => self.gather(reshard, operands)?,
            Kind::HaloExchange { halo } => self.widen(reshard, halo, operands)?,
            Kind::HaloDrop { halo } => self.pick(reshard.borders(halo)[0], operands),
        }
        Ok(())
    }

    fn backward(&mut self, reshard: &Reshard, operands: Operands<'_>) -> Result<(), PeerLost> {
        match reshard.kind {
            Kind::Slice => unreachable!("no gradient is needed below the first parameters"),
            Kind::AllGather { is_summed: true } => self.scatter(reshard, operands)?,
            Kind::AllGather { is_summed: false } => self.pick(reshard.own().start, operands),
            // What comes back for the neighbours' channels is theirs to compute.
            Kind::HaloExchange { halo } => self.pick(reshard.borders(halo)[0], operands),
            Kind::HaloDrop { halo } => self.widen(reshard, halo, operands)?,
        }
        Ok(())
    }
}
