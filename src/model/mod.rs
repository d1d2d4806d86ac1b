//! The network: shapes of its layers, parameters, passes, and the solver that moves the parameters.

pub mod checkpoint;
pub mod columns;
pub mod error;
pub mod init;
pub mod network;
pub mod parameter;
pub mod plan;
pub mod presets;
pub mod rank;
pub mod solver;
pub mod spec;
pub mod stretch;
pub mod timing;

mod acts;
mod buffers;
mod cost;
mod cut;
mod pass;
mod share;

pub use error::ModelError;
pub use network::{Network, Pass};
pub use parameter::Parameter;
pub use plan::{Memory, Plan};
pub use rank::Rank;
pub use spec::{LayerSpec, Operation, Spec};
pub use timing::{Direction, Lap};
