//! discard: takes batches and returns their slots at once: a device that costs nothing.
//! upstream: staging · downstream: none

use std::sync::Arc;

use crate::flow::{Fault, Inlet, Outlet, Slot};
use crate::stages::messages::Batch;

/// Takes batches until the end of data; `delivered` is called with each.
pub fn run(batches: &Inlet<Batch>, free: Outlet<Slot>, mut delivered: impl FnMut(&Batch)) -> Result<(), Fault> {
    while let Some(batch) = batches.next()? {
        delivered(&batch);
        if let Some(slot) = Arc::into_inner(batch.slot) {
            // The source may have ended; then nobody needs the slot.
            let _ = free.send(slot);
        }
    }
    free.finish();
    Ok(())
}
