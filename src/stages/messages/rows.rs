//! From the source to compute: tickets, pixels and batches.

use std::sync::Arc;

use super::{Header, Phase, RowFact};
use crate::flow::{Lent, Rows, Slot};
use crate::stages::frame::{Frame, Region};

/// A batch that has begun: its rows are lent to tickets.
pub struct Opened {
    /// Which batch.
    pub header: Header,
    /// Gets the rows back.
    pub lent: Lent,
}

/// A sample to be brought into rows.
pub struct Ticket {
    /// The batch.
    pub serial: u64,
    /// Train: one random view. Evaluate: fixed views.
    pub phase: Phase,
    /// Phase of the sample's random key.
    pub epoch: u32,
    /// Index in its data set.
    pub sample: u32,
    /// Whether it stands for no sample: nothing is read, and its row gets weight 0.
    pub is_padding: bool,
    /// The first of the views; there is one for each row.
    pub first_view: u8,
    /// Where the views go.
    pub rows: Rows,
}

/// A decoded part of a sample's frame. `T` is the ticket that asked for it.
pub struct Pixels<T> {
    /// Who asked.
    pub ticket: T,
    /// RGB of `region`; empty if it could not be decoded. Goes back to the pool after use. `None`: the sample is stored as the
    /// pixels of its frame, to be read where it lies.
    pub buffer: Option<Vec<u8>>,
    /// The frame in which crops are drawn.
    pub frame: Frame,
    /// The part of it that is in `buffer`: where it begins, and its size there, to which it may have been scaled.
    pub region: Region,
    /// xxh3 of the encoded bytes; in a pack, of those that it was made of.
    pub checksum: u64,
    /// Why it could not be decoded.
    pub refused: Option<Arc<str>>,
}

impl<T> Pixels<T> {
    /// For a ticket that wants none.
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
    /// Which batch.
    pub header: Header,
    /// Its rows.
    pub slot: Slot,
    /// One for each row in use.
    pub facts: Vec<RowFact>,
    /// Rolling hash of the training stream up to the end of this batch.
    pub stream: u64,
}
