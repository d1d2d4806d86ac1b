//! Rectified linear units (paper, section 3.1): y = max(0, x); dx = dy where y > 0, else 0.
//!
//! In place: y overwrites x, dx overwrites dy. NaN is passed on, so that a diverged network is noticed.

pub mod cpu;
pub mod cuda;

/// max(0, x); NaN if x is.
#[inline]
pub fn rectify(x: f32) -> f32 {
    if x < 0.0 { 0.0 } else { x }
}
