//! The network: shapes of its layers, parameters, passes, and the solver that moves the parameters.

pub mod checkpoint;
pub mod columns;
pub mod error;
pub mod init;
pub mod network;
pub mod parameter;
pub mod plan;
pub mod presets;
pub mod placement;
pub mod solver;
pub mod spec;
pub mod segment;
pub mod timing;

mod buffers;
mod cost;
mod fuse;
mod pass;
mod share;
mod store;

pub use error::ModelError;
pub use network::{Network, Pass};
pub use parameter::Parameter;
pub use placement::Placement;
pub use plan::{Memory, Plan};
pub use spec::{LayerSpec, Operation, Spec};
pub use timing::{Direction, Lap};
