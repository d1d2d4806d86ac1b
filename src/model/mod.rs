//! The network: shapes of its layers, parameters, passes, and the solver that moves the parameters.

pub mod checkpoint;
pub mod columns;
pub mod error;
pub mod cpu;
pub mod init;
pub mod parameter;
pub mod presets;
pub mod placement;
pub mod solver;
pub mod spec;

mod cost;
mod share;

pub use cpu::{Direction, Lap, Memory, Network, Pass, Plan};
pub use error::ModelError;
pub use parameter::Parameter;
pub use placement::Placement;
pub use spec::{LayerSpec, Operation, Spec};
