//! The targets by name, each with its seeds and its memory limit.

mod checkpoint;
mod cifar;
mod config;
mod devkit;
mod exif;
mod folder;
mod idx;
mod image;
mod list;
mod location;
mod metrics;
mod pack;
mod plan;
mod report;
mod shards;
mod statistics;
mod tar;

use super::{archives, data, given, mat_writer, memory, pictures, place};

/// One parser, and what must hold for it.
pub struct Target {
    /// Its name, which is also that of its binary and its test.
    pub name: &'static str,
    /// Panics on failure.
    pub run: fn(&[u8]),
    /// The initial inputs, created on each call.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Words of the format, to be inserted anywhere.
    pub words: &'static [&'static [u8]],
    /// The most bytes that it may hold at any time.
    pub memory: i64,
}

impl Target {
    /// Runs the target on one input.
    pub fn on(&self, data: &[u8]) {
        memory::within(self.memory, || (self.run)(data));
    }
}

/// All targets.
pub const TARGETS: [Target; 17] = [
    checkpoint::TARGET,
    cifar::TARGET,
    config::TARGET,
    devkit::TARGET,
    exif::TARGET,
    folder::TARGET,
    idx::TARGET,
    image::TARGET,
    list::TARGET,
    location::TARGET,
    metrics::TARGET,
    pack::TARGET,
    plan::TARGET,
    report::TARGET,
    shards::TARGET,
    statistics::TARGET,
    tar::TARGET,
];

/// The target of that name.
pub fn target(name: &str) -> &'static Target {
    TARGETS
        .iter()
        .find(|target| target.name == name)
        .unwrap_or_else(|| panic!("there is no target {name}"))
}
