//! decode
mod cmyk;
mod decoder;
mod error;
mod exif;
mod fallback;
mod frame;
mod jpeg;
mod resize;
mod sniff;

pub use decoder::{Decoder, Options};
pub use error::DecodeError;
pub use frame::{Frame, Region};
