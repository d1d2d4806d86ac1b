//! The decoder: odd JPEGs, regions, orientation, resizing, and damaged input.
#![allow(clippy::unwrap_used, reason = "all of this crate is tests")]

mod allocation;
mod damaged;
mod encoder;
mod frames;
mod harmless;
mod makers;
mod mapped;
mod odd;
mod other_formats;
mod others;
mod pictures;
mod pngs;
mod regions;
mod restarts;
mod sampling;
