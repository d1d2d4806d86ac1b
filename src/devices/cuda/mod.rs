//! NVIDIA's GPUs as devices: the driver, memory, streams and events, and the kernels. Everything here is done by cudarc,
//! which loads the driver while the program runs: nothing of CUDA is needed to build it.
//!
//! This is the only place that knows cudarc. What is launched, and in which order, is decided in `model/cuda/`; how an
//! operation is launched, in `ops/*/cuda.rs`.

pub mod driver;
pub mod error;
pub mod gpu;
pub mod host;
pub mod kernels;
pub mod launch;
pub mod layout;
pub mod memory;
pub mod pinned;
pub mod row;

pub use driver::{Found, NoDriver, gpus};
pub use error::CudaError;
pub use gpu::{Event, Gpu, Stream};
pub use host::{HostBuffer, InFlight};
pub use kernels::Kernels;
pub use launch::{Arguments, Launch};
pub use layout::{Address, Layout, Region};
pub use memory::DeviceMemory;
pub use pinned::pin;
pub use row::ByteRows;
