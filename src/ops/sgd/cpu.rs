//! Stochastic gradient descent on the CPU, over equal parts of a parameter.

use super::Rate;
use crate::devices::cpu::Cpu;

/// Elements per task.
const PART: usize = 32 * 1024;

/// One update of the parameter `w` with momentum `v` by the gradient `g`.
pub fn update(cpu: &Cpu, rate: Rate, w: &mut [f32], v: &mut [f32], g: &[f32]) {
    if rate.frozen {
        return;
    }
    cpu.threads.install(|| split(rate, w, v, g));
}

fn split(rate: Rate, w: &mut [f32], v: &mut [f32], g: &[f32]) {
    if g.len() <= PART {
        return step(rate, w, v, g);
    }
    let middle = (g.len() / 2).next_multiple_of(PART);
    let ((w0, w1), (v0, v1)) = (w.split_at_mut(middle), v.split_at_mut(middle));
    let (g0, g1) = g.split_at(middle);
    rayon::join(|| split(rate, w0, v0, g0), || split(rate, w1, v1, g1));
}

/// The same on the calling thread.
pub fn step(rate: Rate, w: &mut [f32], v: &mut [f32], g: &[f32]) {
    let Rate {
        lr,
        momentum,
        weight_decay,
        frozen,
    } = rate;
    if frozen {
        return;
    }
    let decay = weight_decay * lr;
    for ((w, v), g) in w.iter_mut().zip(v).zip(g) {
        *v = momentum * *v - decay * *w - lr * g;
        *w += *v;
    }
}
