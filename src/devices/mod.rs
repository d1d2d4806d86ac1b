//! What computes: memory, threads and the layout of rows. A device owns all three; stages see only [`row::RowWriter`].

pub mod cpu;

pub mod exchange;

pub mod row;

pub use exchange::{Exchange, PeerLost, Sharded, Update, share};
