//! What is told of a run: events on disk, progress on the terminal, a page at the end. Reads, never steers.

pub mod cut;

pub mod digest;

pub mod images;

pub mod lines;

pub mod logging;

pub mod memory;

pub mod metrics;

pub mod progress;

pub mod recorder;

pub mod report;

pub mod terminal;

pub mod verdicts;
