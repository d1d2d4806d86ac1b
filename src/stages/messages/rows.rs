//! From the source to compute: tickets, pixels and batches.

use std::sync::Arc;

use super::{Header, Phase, RowFact};
use crate::flow::{Lent, Rows, Slot};
use crate::stages::frame::{Frame, Region};

/// A batch that has been started: its rows are lent to tickets.
pub struct Opened {
    /// Identifies the batch.
    pub header: Header,
    /// Collects the returned rows.
    pub lent: Lent,
}

/// An order to write a sample into rows.
pub struct Ticket {
    /// The batch.
    pub serial: u64,
    /// Training: one random view. Evaluation: fixed views.
    pub phase: Phase,
    /// Part of the sample's random key.
    pub epoch: u32,
    /// Index in its data set.
    pub sample: u32,
    /// Whether there is no sample behind it: nothing is read, and its row gets weight 0.
    pub is_padding: bool,
    /// The first view; there is one view per row.
    pub first_view: u8,
    /// Where the views go.
    pub rows: Rows,
}

/// A decoded part of a sample's frame. `T` is the ticket that asked for it.
pub struct Pixels<T> {
    /// The ticket.
    pub ticket: T,
    /// RGB of `region`; empty if the sample could not be decoded. Returned to the pool after use. `None`: the sample is stored
    /// as raw pixels, to be read in place.
    pub buffer: Option<Vec<u8>>,
    /// The frame in which crops are drawn.
    pub frame: Frame,
    /// The part of the frame in `buffer`: where it begins, and its size after scaling.
    pub region: Region,
    /// xxh3 of the encoded bytes; for a pack, of the source's bytes.
    pub checksum: u64,
    /// Why the sample could not be decoded.
    pub refused: Option<Arc<str>>,
}

impl<T> Pixels<T> {
    /// The answer to a ticket without a sample.
    pub fn nothing(ticket: T) -> Self {
        Self {
            ticket,
            buffer: None,
            frame: Frame::EMPTY,
            region: Region::whole(Frame::EMPTY),
            checksum: 0,
            refused: None,
        }
    }
}

/// A whole batch on its way to a device.
pub struct Batch {
    /// Identifies the batch.
    pub header: Header,
    /// Its rows. A device that is copying them holds them too.
    pub slot: Arc<Slot>,
    /// One per row in use.
    pub facts: Vec<RowFact>,
    /// Rolling hash of the training stream up to the end of this batch.
    pub stream: u64,
}
