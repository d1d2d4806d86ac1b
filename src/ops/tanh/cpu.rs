//! Hyperbolic tangent, over even parts of the buffer.

use crate::devices::cpu::Cpu;
use crate::ops::relu::cpu::PART;

/// y = tanh(x), in place.
pub fn forward(cpu: &Cpu, x: &mut [f32]) {
    cpu.threads
        .each_part(x, PART, |_, x| x.iter_mut().for_each(|x| *x = x.tanh()));
}

/// dx from dy, in place, given y.
pub fn backward(cpu: &Cpu, y: &[f32], dy: &mut [f32]) {
    cpu.threads.each_part(dy, PART, |i, dy| {
        for (dy, y) in dy.iter_mut().zip(&y[i * PART..]) {
            *dy *= 1.0 - y * y;
        }
    });
}
