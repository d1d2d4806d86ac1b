//! Dropout in evaluation; in training it is [`Masks::apply`](super::Masks::apply).

/// y = (1 − p) x, in place.
pub fn scale(p: f32, x: &mut [f32]) {
    x.iter_mut().for_each(|x| *x *= 1.0 - p);
}
