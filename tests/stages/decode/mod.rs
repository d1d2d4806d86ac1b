//! The decoder: odd JPEGs, regions, orientation, resizing, and damaged input.

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
