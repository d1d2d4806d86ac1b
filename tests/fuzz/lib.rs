//! Fuzz targets: one for every parser of untrusted bytes, with the properties that must hold for any bytes.
//!
//! The same targets run in two ways:
//!
//! - `cargo test --test fuzz` ([`main.rs`](main.rs)) runs each on its seeds and on thousands of mutated seeds, within seconds.
//! - This folder is also a package of its own in the layout of cargo-fuzz. `scripts/campaign` builds its binaries on the stable
//!   compiler with counters of coverage, and lets libFuzzer look for new paths. `cargo +nightly fuzz run --fuzz-dir tests/fuzz
//!   tar` does the same with cargo-fuzz and AddressSanitizer, where these are installed.
//!
//! A target fails if it panics, exceeds its memory limit or does not return.

#![allow(
    clippy::unwrap_used,
    dead_code,
    missing_docs,
    reason = "tests, of which each of the two ways uses its part"
)]

pub mod archives;
pub mod data;
pub mod memory;
pub mod place;
pub mod targets;

#[path = "../given/mod.rs"]
mod given;
#[path = "../dataset/mat_writer.rs"]
mod mat_writer;
#[path = "../stages/decode/pictures.rs"]
mod pictures;

#[global_allocator]
static ALLOCATOR: memory::Counted = memory::Counted;
