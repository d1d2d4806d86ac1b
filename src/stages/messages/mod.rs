//! The messages between stages, one type per channel, so that a signature shows its place in the flow.

mod position;
mod receipts;
mod report;
mod rows;
mod save;

pub use position::{Header, Phase, Position};
pub use receipts::{Receipt, Receipts, RowFact};
pub use report::{Evaluated, Report};
pub use rows::{Batch, Opened, Pixels, Ticket};
pub use save::{Save, Snapshot};
