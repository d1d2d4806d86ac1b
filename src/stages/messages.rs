//! The messages, one type a channel, so that a signature tells its place in the flow.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::flow::{Lent, Rows, Slot};
use crate::stages::decode::{Frame, Region};

/// What a batch is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Updates the weights.
    Train,
    /// Measures the error on the validation set.
    Evaluate,
}

/// A place in the run: the next batch to be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// From 0.
    pub epoch: u32,
    /// Training comes before evaluation.
    pub phase: Phase,
    /// From 0 in the part.
    pub batch: u32,
}

impl Position {
    /// Before the first step.
    pub const START: Self = Self {
        epoch: 0,
        phase: Phase::Train,
        batch: 0,
    };
}

/// Which batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Counts every batch that this process makes, from 0: the address that receipts carry.
    pub serial: u64,
    /// Its place in the run.
    pub position: Position,
    /// Rows in use; fewer than the slot has only in the tail of a part.
    pub rows: u32,
    /// Whether it is the last of its part.
    pub last: bool,
    /// Whether it is the last of the run.
    pub end_of_run: bool,
}

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

/// Rows are written (or their sample refused).
pub struct Receipt {
    /// The batch.
    pub serial: u64,
    /// Come home.
    pub rows: Rows,
    /// What is in the first of them.
    pub fact: RowFact,
}

/// Receipts on their way together: staging is woken once for all of them.
#[derive(Default)]
pub struct Receipts {
    list: [Option<Receipt>; Self::MOST],
    count: usize,
}

impl Receipts {
    /// As many travel together at most.
    pub const MOST: usize = 8;

    /// Adds one; there must be room.
    pub fn push(&mut self, receipt: Receipt) {
        self.list[self.count] = Some(receipt);
        self.count += 1;
    }

    /// Whether there is no room for one more.
    pub fn is_full(&self) -> bool {
        self.count == Self::MOST
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl IntoIterator for Receipts {
    type Item = Receipt;
    type IntoIter = std::iter::Flatten<std::array::IntoIter<Option<Receipt>, { Self::MOST }>>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter().flatten()
    }
}

/// What is in a row beside its pixels.
#[derive(Clone, Debug, Default)]
pub struct RowFact {
    /// Index in its data set.
    pub sample: u32,
    /// Its class.
    pub label: u32,
    /// Which view of the sample.
    pub view: u8,
    /// Hash of everything that made the row: id, label, drawn numbers, encoded bytes.
    pub stream: u64,
    /// Whether it stands for no sample.
    pub is_padding: bool,
    /// Why the sample could not be used.
    pub refused: Option<Arc<str>>,
}

impl RowFact {
    /// Whether the row counts: else its weight is 0.
    pub fn is_present(&self) -> bool {
        !self.is_padding && self.refused.is_none()
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
