//! The decode stage of a flow: the same for all who request pixels and all who take them.

use std::num::NonZeroUsize;

use super::{Flow, Waits, fill};
use crate::flow::{Inlet, Outlet, Role, channel};
use crate::plan::Crew;
use crate::stages::decode::{self, Decode, Request};
use crate::stages::messages::Pixels;

/// How decode is set up in a flow.
pub(super) struct Decoding {
    /// The settings of its workers.
    pub(super) settings: Decode,
    /// Its number of workers.
    pub(super) crew: Crew,
    /// Number of pixel buffers.
    pub(super) buffers: NonZeroUsize,
    /// Capacity of the channel behind it.
    pub(super) queue: NonZeroUsize,
    /// What makes decoding cheaper, for advice.
    pub(super) remedy: &'static str,
}

impl Flow {
    /// Adds decode, which takes `tickets`. Returns the inlet for pixels, and the outlet that returns their buffers to the pool.
    pub(super) fn decode<T: Request + 'static>(
        &mut self,
        decoding: Decoding,
        tickets: &Inlet<T>,
    ) -> (Inlet<Pixels<T>>, Outlet<Vec<u8>>) {
        let Decoding {
            settings,
            crew,
            buffers,
            queue,
            remedy,
        } = decoding;
        let (spare, pool) = channel("buffer", buffers);
        (0..buffers.get()).for_each(|_| fill(&spare, Vec::new()));
        let (pixels, pixels_in) = channel("pixels", queue);
        self.images(tickets.gauge());
        let waits = Waits::of(Role::Input, tickets).room(pool.waits()).room(pixels.waits());
        self.many("decode", crew, waits.remedy(remedy), |entrance| {
            let (settings, tickets) = (settings.clone(), tickets.behind(entrance));
            let (pool, pixels) = (pool.clone(), pixels.clone());
            move || decode::run(&settings, &tickets, &pool, pixels)
        });
        pixels.finish();
        (pixels_in, spare)
    }
}
