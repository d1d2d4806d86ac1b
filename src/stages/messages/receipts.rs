//! From augment to staging: what was written.

use std::sync::Arc;

use crate::flow::Rows;

/// Confirms that a row is written, or that its sample was refused.
pub struct Receipt {
    /// The batch.
    pub serial: u64,
    /// The row, returned.
    pub rows: Rows,
    /// What the row contains.
    pub fact: RowFact,
}

/// Receipts that are sent together: staging is woken once for all of them.
#[derive(Default)]
pub struct Receipts {
    list: [Option<Receipt>; Self::MOST],
    count: usize,
}

impl Receipts {
    /// At most so many are sent together.
    pub const MOST: usize = 8;

    /// Adds one. There must be room for it.
    pub fn push(&mut self, receipt: Receipt) {
        self.list[self.count] = Some(receipt);
        self.count += 1;
    }

    /// Whether there is no room for one more.
    pub fn is_full(&self) -> bool {
        self.count == Self::MOST
    }

    /// Whether there are no receipts.
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

/// What belongs to a row besides its pixels.
#[derive(Clone, Debug, Default)]
pub struct RowFact {
    /// Index in its data set.
    pub sample: u32,
    /// Its class.
    pub label: u32,
    /// Which view of the sample.
    pub view: u8,
    /// Hash of everything that determines the row: id, label, drawn numbers, encoded bytes.
    pub stream: u64,
    /// Whether there is no sample behind it.
    pub is_padding: bool,
    /// Why the sample could not be used.
    pub refused: Option<Arc<str>>,
}

impl RowFact {
    /// Whether the row counts; otherwise its weight is 0.
    pub fn is_present(&self) -> bool {
        !self.is_padding && self.refused.is_none()
    }
}
