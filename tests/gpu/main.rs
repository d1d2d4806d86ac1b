//! Training on a GPU: the emulated one, which executes the very PTX that is a part of the program (`tests/emulated_gpu/`).

#![allow(clippy::unwrap_used, reason = "a test panics if anything is unexpected")]

#[path = "../given/mod.rs"]
#[allow(dead_code, reason = "each test target uses its part")]
mod given;
#[path = "../runs/process.rs"]
#[allow(dead_code, reason = "each test target uses its part")]
mod process;
#[path = "../skip/mod.rs"]
#[allow(dead_code, reason = "each test target lacks its part")]
mod skip;

mod emulated;
mod faults;
mod networks;
mod overlap;
mod runs;
