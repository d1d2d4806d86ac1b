//! Rectified linear units, over even parts of the buffer.

use super::rectify;
use crate::devices::cpu::Cpu;

/// Elements of one task.
pub(in crate::ops) const PART: usize = 64 * 1024;

/// y = max(0, x), in place.
pub fn forward(cpu: &Cpu, x: &mut [f32]) {
    cpu.threads
        .each_part(x, PART, |_, x| x.iter_mut().for_each(|x| *x = rectify(*x)));
}

/// dx from dy, in place, given y.
pub fn backward(cpu: &Cpu, y: &[f32], dy: &mut [f32]) {
    cpu.threads.each_part(dy, PART, |i, dy| {
        for (dy, y) in dy.iter_mut().zip(&y[i * PART..]) {
            *dy = if *y > 0.0 { *dy } else { 0.0 };
        }
    });
}
