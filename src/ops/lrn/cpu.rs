//! Local response normalisation: channels in the outer loops, a strip of positions in the innermost.
#![allow(
    clippy::inline_always,
    reason = "plain code must be part of the function that is compiled for AVX2"
)]

use super::{Geometry, STRIP};
use crate::devices::cpu::{Cpu, Rows};
use crate::ops::Chunks;

/// One image's a, db and da.
struct Maps<'a> {
    a: &'a [f32],
    db: &'a [f32],
    da: &'a mut [f32],
}

impl Geometry {
    /// b from a for the chunks that hold the first `rows` images.
    pub fn forward(&self, cpu: &Cpu, chunks: &Chunks, rows: usize, a: &[f32], b: &mut [f32]) {
        let (image, plane) = (self.shape.len(), self.shape.plane());
        cpu.each_range(chunks.holding(rows), Rows::new(b, image), |chunk, b| {
            for (n, b) in chunk.zip(b.data.chunks_exact_mut(image)) {
                let a = &a[n * image..(n + 1) * image];
                for start in (0..plane).step_by(STRIP) {
                    self.forward_strip(a, b, start, STRIP.min(plane - start));
                }
            }
        });
    }

    fn forward_strip(&self, a: &[f32], b: &mut [f32], start: usize, width: usize) {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2.
            return unsafe { self.forward_strip_avx2(a, b, start, width) };
        }
        self.forward_strip_plain(a, b, start, width);
    }

    /// The plain code, compiled for vectors of eight: the same bits, as each operation is rounded alike.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn forward_strip_avx2(&self, a: &[f32], b: &mut [f32], start: usize, width: usize) {
        self.forward_strip_plain(a, b, start, width);
    }

    #[inline(always)]
    fn forward_strip_plain(&self, a: &[f32], b: &mut [f32], start: usize, width: usize) {
        for c in 0..self.shape.channels {
            let mut s = [1.0f32; STRIP];
            self.sums(a, c, start, &mut s[..width]);
            let (powers, at) = (self.powers(&s), c * self.shape.plane() + start);
            for ((b, a), power) in b[at..at + width].iter_mut().zip(&a[at..at + width]).zip(&powers) {
                *b = a * power;
            }
        }
    }

    /// da from db, given a.
    pub fn backward(&self, cpu: &Cpu, chunks: &Chunks, rows: usize, a: &[f32], db: &[f32], da: &mut [f32]) {
        let (image, plane) = (self.shape.len(), self.shape.plane());
        cpu.each_range(chunks.holding(rows), Rows::new(da, image), |chunk, da| {
            let mut scratch = cpu.scratch.of(cpu.threads.worker());
            for (n, da) in chunk.zip(da.data.chunks_exact_mut(image)) {
                let (a, db) = (&a[n * image..(n + 1) * image], &db[n * image..(n + 1) * image]);
                for start in (0..plane).step_by(STRIP) {
                    let width = STRIP.min(plane - start);
                    let mut maps = Maps { a, db, da: &mut *da };
                    self.backward_strip(&mut maps, start, width, &mut scratch);
                }
            }
        });
    }

    fn backward_strip(&self, maps: Maps<'_>, start: usize, width: usize, scratch: &mut [f32]) {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2.
            return unsafe { self.backward_strip_avx2(maps, start, width, scratch) };
        }
        self.backward_strip_plain(maps, start, width, scratch);
    }

    /// As [`forward_strip_avx2`](Self::forward_strip_avx2).
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn backward_strip_avx2(&self, maps: Maps<'_>, start: usize, width: usize, scratch: &mut [f32]) {
        self.backward_strip_plain(maps, start, width, scratch);
    }

    #[inline(always)]
    fn backward_strip_plain(&self, maps: Maps<'_>, start: usize, width: usize, scratch: &mut [f32]) {
        let plane = self.shape.plane();
        // db·a·s^(−β−1) of every channel; da holds db·s^(−β) until the sums are known.
        let summands = &mut scratch[..self.shape.channels * width];
        for (c, summands) in summands.chunks_exact_mut(width).enumerate() {
            let mut s = [1.0f32; STRIP];
            self.sums(maps.a, c, start, &mut s[..width]);
            let at = c * plane + start;
            let (a, db) = (strip(&maps.a[at..at + width]), strip(&maps.db[at..at + width]));
            let powers = self.powers(&s);
            let (mut direct, mut summand) = ([0.0f32; STRIP], [0.0f32; STRIP]);
            for i in 0..STRIP {
                direct[i] = db[i] * powers[i];
                summand[i] = direct[i] * a[i] / s[i];
            }
            maps.da[at..at + width].copy_from_slice(&direct[..width]);
            summands.copy_from_slice(&summand[..width]);
        }
        let scale = 2.0 * self.alpha * self.beta;
        for c in 0..self.shape.channels {
            let mut total = [0.0f32; STRIP];
            for j in self.window(c) {
                total[..width]
                    .iter_mut()
                    .zip(&summands[j * width..(j + 1) * width])
                    .for_each(|(t, s)| *t += s);
            }
            let at = c * plane + start;
            let (a, mut da) = (strip(&maps.a[at..at + width]), strip(&maps.da[at..at + width]));
            for i in 0..STRIP {
                da[i] -= scale * a[i] * total[i];
            }
            maps.da[at..at + width].copy_from_slice(&da[..width]);
        }
    }

    /// s of channel `c` at positions `start..start + s.len()`.
    #[inline(always)]
    fn sums(&self, a: &[f32], c: usize, start: usize, s: &mut [f32]) {
        s.fill(0.0);
        for j in self.window(c) {
            let a = &a[j * self.shape.plane() + start..][..s.len()];
            s.iter_mut().zip(a).for_each(|(s, a)| *s += a * a);
        }
        for s in s {
            *s = self.k + self.alpha * *s;
        }
    }

    #[inline(always)]
    fn window(&self, c: usize) -> std::ops::Range<usize> {
        c.saturating_sub(self.reach)..(c + self.reach + 1).min(self.shape.channels)
    }

    /// s^(−β), one by one.
    #[inline(always)]
    fn powers(&self, s: &[f32; STRIP]) -> [f32; STRIP] {
        if self.beta == 0.75 {
            // s^(−3/4) by square roots, which the processor has for whole vectors.
            s.map(|s| 1.0 / (s.sqrt() * s.sqrt().sqrt()))
        } else {
            s.map(|s| s.powf(-self.beta))
        }
    }
}

/// A strip in an array of its own, filled up with zeros: loops of a known length over memory that nothing else shares.
#[inline(always)]
fn strip(values: &[f32]) -> [f32; STRIP] {
    let mut strip = [0.0; STRIP];
    strip[..values.len()].copy_from_slice(values);
    strip
}
