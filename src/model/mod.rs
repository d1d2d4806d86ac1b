//! The network: what it is, and the devices that compute it.
//!
//! What it is belongs to no device: the shapes of its layers, its parameters and their initial values, what a device
//! has of them, the solver that moves them, and checkpoints. The executors compute it, one per kind of device, `cpu` and
//! `cuda`. They are reached through [`Device`] and made by [`devices`], which alone names them.

pub mod checkpoint;
pub mod columns;
pub mod device;
pub mod devices;
pub mod error;
pub mod init;
pub mod job;
pub mod lap;
pub mod layer;
pub mod memory;
pub mod parameter;
pub mod placement;
pub mod presets;
pub mod solver;
pub mod spec;

mod cost;
mod cpu;
mod cuda;
mod share;

pub use device::{Device, DeviceError, Inside, Peak, Running, Targets};
pub use error::ModelError;
pub use job::Job;
pub use lap::{Direction, Lap};
pub use layer::{LayerSpec, Operation};
pub use memory::Memory;
pub use parameter::{Parameter, ParameterSpec};
pub use placement::Placement;
pub use spec::Spec;
