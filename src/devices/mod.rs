//! What computes: threads and memory of the CPU, GPUs, the writer of a batch's rows, and the communicator between devices.

pub mod cpu;
pub mod cuda;

pub mod communicator;

pub mod row;

pub use communicator::{Communicator, PeerLost, Sharded, Update, share};
