//! Max pooling, a chunk of images per task.

use super::Geometry;
use crate::devices::cpu::{Cpu, Rows};
use crate::ops::Chunks;

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
        let rows = y
            .chunks_exact_mut(self.output.width)
            .zip(places.chunks_exact_mut(self.output.width));
        for (q, (y, places)) in rows.enumerate() {
            let top = q * self.stride;
            let height = self.size.min(self.input.height - top);
            for (r, (y, place)) in y.iter_mut().zip(places).enumerate() {
                let left = r * self.stride;
                let width = self.size.min(self.input.width - left);
                (*y, *place) = self.maximum(&map[top * self.input.width + left..], height, width);
            }
        }
    }

    /// The first maximum of a window of `height` × `width` that starts `map`; a NaN counts as the largest.
    #[inline]
    fn maximum(&self, map: &[f32], height: usize, width: usize) -> (f32, u8) {
        let (mut best, mut place) = (map[0], 0);
        for i in 0..height {
            let row = &map[i * self.input.width..][..width];
            for (j, &value) in row.iter().enumerate() {
                if value > best || value.is_nan() {
                    best = value;
                    place = i * self.size + j;
                }
            }
        }
        (best, place as u8)
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
