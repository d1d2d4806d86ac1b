//! What is told of a run: events on disk, progress on the terminal, a page at the end. Reads, never steers.

pub mod images;

pub mod logging;

pub mod memory;

pub mod metrics;

pub mod progress;

pub mod recorder;

pub mod report;

pub mod verdicts;
