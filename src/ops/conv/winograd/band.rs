//! Some rows of two adjacent blocks of channels, with zeros around them: `[row][column][16]`.
//!
//! Most tiles of a small map extend over its edge. A band is copied once for a row of tiles and stays in the first-level cache.
//! So no tile has to check which of its positions exist.

use super::transform::{Sink, Square};
use crate::ops::map::Map;
use crate::ops::simd::{LANES, Lanes, Part, ROW, Simd, Vectors};

/// Sixteen channels of a position.
type Position = [f32; ROW];

/// Two adjacent blocks of one image; the first twice if there is no second.
#[derive(Clone, Copy)]
pub struct Blocks<'a> {
    positions: [&'a [Lanes]; 2],
    height: usize,
    width: usize,
}

impl<'a> Blocks<'a> {
    /// Block `first` of the map, and the next one if it is before `end`.
    pub fn new(map: Map, data: &'a [f32], first: usize, end: usize) -> Self {
        let block = |block: usize| data[block * map.block()..][..map.block()].as_chunks().0;
        Self {
            positions: [block(first), block((first + 1).min(end - 1))],
            height: map.shape.height,
            width: map.shape.width,
        }
    }
}

/// Memory for rows of a fixed width.
pub struct Band<'a> {
    positions: &'a mut [Position],
    width: usize,
}

impl<'a> Band<'a> {
    /// `height` rows in `memory`, with its current contents.
    pub fn new(memory: &'a mut [f32], height: usize, width: usize) -> Self {
        let positions = &mut memory.as_chunks_mut().0[..height * width];
        Self { positions, width }
    }

    /// `height` rows of zeros, to be [filled](Self::fill).
    pub fn zeros(memory: &'a mut [f32], height: usize, width: usize) -> Self {
        let band = Self::new(memory, height, width);
        band.positions.fill([0.0; ROW]);
        band
    }

    /// Copies the rows of `blocks` from `top` on, shifted `left` columns to the right. The copied width is always the same, so
    /// the columns beside it stay zero.
    #[inline(always)]
    pub fn fill<S: Simd>(&mut self, s: S, blocks: &Blocks<'_>, top: isize, left: usize) {
        for (i, row) in self.positions.chunks_exact_mut(self.width).enumerate() {
            // A negative number is larger than any map when read as unsigned.
            let y = (top + i as isize) as usize;
            if y >= blocks.height {
                row.fill([0.0; ROW]);
                continue;
            }
            let [first, second] = blocks.positions.map(|block| &block[y * blocks.width..][..blocks.width]);
            for ((to, first), second) in row[left..].iter_mut().zip(first).zip(second) {
                S::Row::join(s, [s.load(first), s.load(second)]).store(s, to, 0);
            }
        }
    }

    /// Part `part` of the square from column `left` on.
    #[inline(always)]
    pub fn square<const A: usize>(&self, left: usize, part: usize) -> Tile<'_, A> {
        let mut rows = [&[[0.0; ROW]; A]; A];
        for (i, row) in rows.iter_mut().enumerate() {
            *row = self.positions[i * self.width + left..]
                .first_chunk()
                .expect("as wide as its tiles");
        }
        Tile { rows, part }
    }

    /// Where to write a square: part `part`, from column `left` on.
    #[inline(always)]
    pub fn sink(&mut self, left: usize, part: usize) -> TileMut<'_> {
        TileMut {
            positions: self.positions,
            width: self.width,
            left,
            part,
        }
    }

    /// Writes its rows to block `number` of the two, with `bias` added, and rectified if `rectify`.
    #[inline(always)]
    pub fn write<'y, S: Vectors>(
        &self,
        s: S,
        number: usize,
        bias: &Lanes,
        rectify: bool,
        rows: impl Iterator<Item = &'y mut [Lanes]>,
    ) {
        let bias = s.load(bias);
        for (to, from) in rows.zip(self.positions.chunks_exact(self.width)) {
            for (to, from) in to.iter_mut().zip(from) {
                let sum = s.add(s.load(&from.as_chunks::<LANES>().0[number]), bias);
                s.store(if rectify { s.rectify(sum) } else { sum }, to);
            }
        }
    }
}

/// A part of a square of positions.
pub struct Tile<'a, const A: usize> {
    rows: [&'a [Position; A]; A],
    part: usize,
}

impl<S: Vectors, V: Part<S>, const A: usize> Square<S, V> for Tile<'_, A> {
    #[inline(always)]
    fn at(&self, s: S, i: usize, j: usize) -> V {
        V::load(s, &self.rows[i][j], self.part)
    }
}

/// A part of a square of positions, to be written.
pub struct TileMut<'a> {
    positions: &'a mut [Position],
    width: usize,
    left: usize,
    part: usize,
}

impl<S: Vectors, V: Part<S>, const A: usize> Sink<S, V, A> for TileMut<'_> {
    #[inline(always)]
    fn put(&mut self, s: S, i: usize, row: [V; A]) {
        let to = self.positions[i * self.width + self.left..].first_chunk_mut::<A>();
        for (number, to) in row.into_iter().zip(to.expect("as wide as its tiles")) {
            number.store(s, to, self.part);
        }
    }
}
