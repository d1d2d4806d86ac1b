//! The output about a run: events on disk, progress on the terminal, a page at the end. It only observes and never steers.

pub mod cut;

pub mod digest;

pub mod error;

pub mod eta;

pub mod images;

pub mod lines;

pub mod live;

pub mod logging;

pub mod memory;

pub mod metrics;

mod plot;

pub mod progress;

pub mod recorder;

pub mod report;

pub mod terminal;

pub mod verdicts;
