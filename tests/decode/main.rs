//! The decoder: odd JPEGs, regions, orientation, resizing, and damaged input.
#![allow(clippy::unwrap_used, reason = "all of this crate is tests")]

mod allocation;
mod damaged;
mod encoder;
mod frames;
mod harmless;
mod makers;
mod odd;
mod other_formats;
mod pictures;
mod regions;
mod restarts;
mod sampling;
