//! decode's part of a flow: the same whoever asks for pixels and whoever takes them.

use std::num::NonZeroUsize;

use super::{Flow, Waits, fill};
use crate::flow::{Inlet, Outlet, Role, channel};
use crate::plan::Crew;
use crate::stages::decode::{self, Decode, Request};
use crate::stages::messages::Pixels;

/// How decode is set up in a flow.
pub(super) struct Decoding {
    /// What its workers know.
    pub(super) settings: Decode,
    /// Its workers.
    pub(super) crew: Crew,
    /// Buffers that pixels travel in.
    pub(super) buffers: NonZeroUsize,
    /// Places of the channel behind it.
    pub(super) queue: NonZeroUsize,
    /// What makes decoding cheaper.
    pub(super) remedy: &'static str,
}

impl Flow {
    /// Adds decode, which takes `tickets`. Gives the pixels, and the way home of their buffers, which are all in the pool.
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
