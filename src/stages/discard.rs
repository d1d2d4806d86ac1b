//! discard: takes batches and gives their slots back at once: a device that costs nothing.
//! upstream: staging · downstream: none

use crate::flow::{Fault, Inlet, Outlet, Slot};
use crate::stages::passage::{Batch, Header};

/// A batch that has arrived.
#[derive(Clone, Copy, Debug)]
pub struct Delivery {
    /// Which.
    pub header: Header,
    /// Rows whose sample could not be used.
    pub refused: u32,
}

/// Takes batches until the end of data.
pub fn run(batches: &Inlet<Batch>, free: Outlet<Slot>, mut delivered: impl FnMut(Delivery)) -> Result<(), Fault> {
    while let Some(batch) = batches.next()? {
        delivered(Delivery {
            header: batch.header,
            refused: batch.facts.iter().filter(|fact| fact.refused.is_some()).count() as u32,
        });
        // The source may have ended; then nobody needs the slot.
        let _ = free.send(batch.slot);
    }
    free.finish();
    Ok(())
}
