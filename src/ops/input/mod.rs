//! The network's input from rows of bytes, on devices that take bytes.
//!
//! ```text
//! mixed = M · (R, G, B, 1) within 0..255, or the pixel as it is
//! value = (mixed − mean + colour) · scale, reflected if wanted; 0 inside the hole
//! ```
//!
//! The same values, bit for bit, as [`PlanarRows`](crate::devices::cpu::PlanarRows) writes.

pub mod cuda;
