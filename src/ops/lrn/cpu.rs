//! Local response normalisation: channels in the outer loops, a strip of positions in the innermost.

use super::{Geometry, STRIP};
use crate::devices::cpu::{Cpu, Rows};
use crate::ops::Chunks;

impl Geometry {
    /// b from a for the chunks that hold the first `rows` images.
    pub fn forward(&self, cpu: &Cpu, chunks: &Chunks, rows: usize, a: &[f32], b: &mut [f32]) {
        let (image, plane) = (self.shape.len(), self.shape.plane());
        cpu.each_range(chunks.holding(rows), Rows::new(b, image), |chunk, b| {
            for (n, b) in chunk.zip(b.data.chunks_exact_mut(image)) {
                let a = &a[n * image..(n + 1) * image];
                for start in (0..plane).step_by(STRIP) {
                    let width = STRIP.min(plane - start);
                    for c in 0..self.shape.channels {
                        let mut s = [0.0f32; STRIP];
                        self.sums(a, c, start, &mut s[..width]);
                        let at = c * plane + start;
                        for ((b, a), s) in b[at..at + width].iter_mut().zip(&a[at..at + width]).zip(&s) {
                            *b = a * self.power(*s);
                        }
                    }
                }
            }
        });
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
                    self.backward_strip(a, db, da, start, width, &mut scratch);
                }
            }
        });
    }

    fn backward_strip(&self, a: &[f32], db: &[f32], da: &mut [f32], start: usize, width: usize, scratch: &mut [f32]) {
        let (channels, plane) = (self.shape.channels, self.shape.plane());
        // db·a·s^(−β−1) of every channel; da holds db·s^(−β) until the sums are known.
        let summands = &mut scratch[..channels * width];
        for (c, summands) in summands.chunks_exact_mut(width).enumerate() {
            let mut s = [0.0f32; STRIP];
            self.sums(a, c, start, &mut s[..width]);
            let at = c * plane + start;
            let (a, db, da) = (&a[at..at + width], &db[at..at + width], &mut da[at..at + width]);
            for i in 0..width {
                let direct = db[i] * self.power(s[i]);
                da[i] = direct;
                summands[i] = direct * a[i] / s[i];
            }
        }
        let scale = 2.0 * self.alpha * self.beta;
        for c in 0..channels {
            let mut total = [0.0f32; STRIP];
            for j in self.window(c) {
                for (total, summand) in total[..width].iter_mut().zip(&summands[j * width..(j + 1) * width]) {
                    *total += summand;
                }
            }
            let at = c * plane + start;
            for ((da, a), total) in da[at..at + width].iter_mut().zip(&a[at..at + width]).zip(&total) {
                *da -= scale * a * total;
            }
        }
    }

    /// s of channel `c` at positions `start..start + s.len()`.
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

    fn window(&self, c: usize) -> std::ops::Range<usize> {
        c.saturating_sub(self.reach)..(c + self.reach + 1).min(self.shape.channels)
    }

    /// s^(−β).
    #[inline]
    fn power(&self, s: f32) -> f32 {
        if self.beta == 0.75 {
            // s^(−3/4) by square roots, which the processor has for whole vectors.
            let root = s.sqrt();
            1.0 / (root * root.sqrt())
        } else {
            s.powf(-self.beta)
        }
    }
}
