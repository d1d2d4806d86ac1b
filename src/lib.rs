//! `pipeline` trains AlexNet-class convolutional networks from JPEGs as a dataflow of staged actors.
//!
//! ```text
//! source ──ticket──▶ decode ──pixels──▶ augment ──receipt──▶ staging ──batch──▶ compute
//!    ▲                                                          │                  │
//!    └──────────── slot (rows to lend) ◀────────────────────────┴──────────────────┘
//! ```
//!
//! Modules in the order in which they may import each other, lowest first. ARCHITECTURE.md tells the whole story.
#![deny(missing_docs)]

pub mod rng;

pub mod text;

pub mod files;

pub mod durable;

pub mod checksum;

pub mod memory;

pub mod config;

pub mod flow;

pub mod dataset;

pub mod devices;

pub mod ops;

pub mod model;

pub mod stages;

pub mod plan;

pub mod proposal;

pub mod topology;

pub mod control;

pub mod observe;

pub mod cli;
