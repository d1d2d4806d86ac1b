//! How CPUs compute a network.

pub mod clock;
pub mod columns;
pub mod network;
pub mod plan;
pub mod segment;

mod buffers;
mod fuse;
mod held;
mod pass;

pub use clock::{Direction, Lap};
pub use network::{Network, Pass};
pub use plan::{Memory, Plan};
