//! What computes: memory, threads and the layout of rows. A device owns all three; stages see only [`row::RowWriter`].

pub mod cpu;

pub mod communicator;

pub mod row;

pub use communicator::{Communicator, PeerLost, Sharded, Update, share};
