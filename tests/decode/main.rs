//! The decoder: odd JPEGs, regions, orientation, resizing, and damaged input.

mod damaged;
mod frames;
mod odd;
mod other_formats;
mod pictures;
mod regions;
