//! Hyperbolic tangent.

/// y = tanh(x), in place.
pub fn forward(x: &mut [f32]) {
    x.iter_mut().for_each(|x| *x = x.tanh());
}

/// dx from dy, in place, given y.
pub fn backward(y: &[f32], dy: &mut [f32]) {
    dy.iter_mut().zip(y).for_each(|(dy, y)| *dy *= 1.0 - y * y);
}
