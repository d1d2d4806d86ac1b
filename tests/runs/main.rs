//! Whole runs of the real binary, each in its own folder. Every process has a time limit.

mod advice;
mod bad_images;
mod bench;
mod bench_compute;
mod check;
mod checkpoints;
mod deterministic;
mod devices;
mod disk;
mod faults;
mod fractions;
mod init;
mod kill;
mod messages;
mod ones;
mod pipes;
mod process;
mod refusals;
mod resuming;
mod stop;
mod subsets;
mod verdicts;

#[allow(dead_code, reason = "each test target uses its part")]
#[path = "../given/mod.rs"]
mod given;
#[path = "../skip/mod.rs"]
#[allow(dead_code, reason = "each test target lacks its part")]
mod skip;
