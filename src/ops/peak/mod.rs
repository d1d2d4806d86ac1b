//! The most that a device can compute: multiply-adds that use only registers.

pub mod cpu;
pub mod cuda;
