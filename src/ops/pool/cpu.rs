//! Max pooling, a chunk of images per task.
#![allow(
    clippy::inline_always,
    reason = "plain code must be part of the function that is compiled for AVX2"
)]

use super::Geometry;
use crate::devices::cpu::{Cpu, Rows};
use crate::ops::Chunks;

/// Windows of a row that are worked on together.
const STRIP: usize = 16;

impl Geometry {
    /// y and the places of the maxima from x for the chunks that hold the first `rows` images.
    pub fn forward(&self, cpu: &Cpu, chunks: &Chunks, rows: usize, x: &[f32], y: &mut [f32], places: &mut [u8]) {
        let (from, to) = (self.input, self.output);
        let data = (Rows::new(y, to.len()), Rows::new(places, to.len()));
        cpu.each_range(chunks.holding(rows), data, |chunk, (y, places)| {
            let maps = x[chunk.start * from.len()..chunk.end * from.len()].chunks_exact(from.plane());
            let outputs = y
                .data
                .chunks_exact_mut(to.plane())
                .zip(places.data.chunks_exact_mut(to.plane()));
            for (map, (y, places)) in maps.zip(outputs) {
                self.forward_map(map, y, places);
            }
        });
    }

    fn forward_map(&self, map: &[f32], y: &mut [f32], places: &mut [u8]) {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2.
            return unsafe { self.forward_map_avx2(map, y, places) };
        }
        self.forward_map_plain(map, y, places);
    }

    /// The plain code, compiled for vectors of eight.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn forward_map_avx2(&self, map: &[f32], y: &mut [f32], places: &mut [u8]) {
        self.forward_map_plain(map, y, places);
    }

    #[inline(always)]
    fn forward_map_plain(&self, map: &[f32], y: &mut [f32], places: &mut [u8]) {
        let rows = y
            .chunks_exact_mut(self.output.width)
            .zip(places.chunks_exact_mut(self.output.width));
        for (q, (y, places)) in rows.enumerate() {
            let top = q * self.stride;
            let height = self.size.min(self.input.height - top);
            let rows = &map[top * self.input.width..(top + height) * self.input.width];
            if y.len() < STRIP / 2 {
                // Too few windows to fill vectors.
                for (r, (y, place)) in y.iter_mut().zip(places).enumerate() {
                    (*y, *place) = self.maximum(
                        &rows[r * self.stride..],
                        self.size.min(self.input.width - r * self.stride),
                    );
                }
                continue;
            }
            for (strip, (y, places)) in y.chunks_mut(STRIP).zip(places.chunks_mut(STRIP)).enumerate() {
                self.maxima(rows, strip * STRIP * self.stride, y, places);
            }
        }
    }

    /// The first maximum of the window of `width` columns that starts `rows`, and its place; a NaN counts as the largest.
    #[inline(always)]
    fn maximum(&self, rows: &[f32], width: usize) -> (f32, u8) {
        let (mut best, mut place) = (f32::NEG_INFINITY, 0);
        for (i, row) in rows.chunks(self.input.width).enumerate() {
            for (j, &value) in row.iter().take(width).enumerate() {
                let larger = (value > best) | value.is_nan();
                best = if larger { value } else { best };
                place = if larger { i * self.size + j } else { place };
            }
        }
        (best, place as u8)
    }

    /// Maxima and their places of the windows over `rows`, the first at column `left`. Element (i, j) of all windows is
    /// compared in one go, without branches; a NaN counts as the largest.
    #[inline(always)]
    fn maxima(&self, rows: &[f32], left: usize, y: &mut [f32], places: &mut [u8]) {
        // Whole vectors; not a constant, or the compiler unrolls the loop before it can turn it into vectors.
        let lanes = y.len().next_multiple_of(8);
        let (mut best, mut place) = ([f32::NEG_INFINITY; STRIP], [0u32; STRIP]);
        for (i, row) in rows.chunks_exact(self.input.width).enumerate() {
            for j in 0..self.size.min(self.input.width - left) {
                let values = every(self.stride, &row[left + j..]);
                let name = (i * self.size + j) as u32;
                let windows = best[..lanes].iter_mut().zip(&mut place[..lanes]).zip(&values[..lanes]);
                for ((best, place), &value) in windows {
                    let larger = (value > *best) | value.is_nan();
                    *best = if larger { value } else { *best };
                    *place = if larger { name } else { *place };
                }
            }
        }
        y.copy_from_slice(&best[..y.len()]);
        places.iter_mut().zip(&place).for_each(|(to, place)| *to = *place as u8);
    }

    /// dx from dy and the places of the maxima.
    pub fn backward(&self, cpu: &Cpu, chunks: &Chunks, rows: usize, dy: &[f32], places: &[u8], dx: &mut [f32]) {
        let (to, from) = (self.input, self.output);
        cpu.each_range(chunks.holding(rows), Rows::new(dx, to.len()), |chunk, dx| {
            let part = chunk.start * from.len()..chunk.end * from.len();
            let gradients = dy[part.clone()]
                .chunks_exact(from.plane())
                .zip(places[part].chunks_exact(from.plane()));
            for (map, (dy, places)) in dx.data.chunks_exact_mut(to.plane()).zip(gradients) {
                self.backward_map(dy, places, map);
            }
        });
    }

    fn backward_map(&self, dy: &[f32], places: &[u8], map: &mut [f32]) {
        map.fill(0.0);
        let rows = dy
            .chunks_exact(self.output.width)
            .zip(places.chunks_exact(self.output.width));
        for (q, (dy, places)) in rows.enumerate() {
            for (r, (dy, &place)) in dy.iter().zip(places).enumerate() {
                let (i, j) = (place as usize / self.size, place as usize % self.size);
                map[(q * self.stride + i) * self.input.width + r * self.stride + j] += dy;
            }
        }
    }
}

/// Every `stride`-th value of `row` from its first, and −∞ beyond its end, where windows are only partly filled.
#[inline(always)]
fn every(stride: usize, row: &[f32]) -> [f32; STRIP] {
    let mut values = [f32::NEG_INFINITY; STRIP];
    if stride == 2 {
        // The paper's stride. With a length that is known, the compiler takes whole vectors apart.
        let mut line = [f32::NEG_INFINITY; 2 * STRIP];
        let used = row.len().min(2 * STRIP);
        line[..used].copy_from_slice(&row[..used]);
        for (value, pair) in values.iter_mut().zip(line.as_chunks::<2>().0) {
            *value = pair[0];
        }
    } else {
        values
            .iter_mut()
            .zip(row.iter().step_by(stride))
            .for_each(|(value, x)| *value = *x);
    }
    values
}
