//! Cuts buffers along the batch, safely: each task owns the part that belongs to its range of rows.

use std::ops::Range;

/// Something that can be cut into the part of the first `rows` rows (which are the first `ranges` ranges) and the rest.
pub trait Divide: Sized + Send {
    /// The parts before and after the cut.
    fn divide(self, rows: usize, ranges: usize) -> (Self, Self);
}

/// A buffer with `per_row` elements per row of the batch.
#[derive(Debug)]
pub struct Rows<'a, T> {
    /// The elements, row after row.
    pub data: &'a mut [T],
    /// Elements per row.
    pub per_row: usize,
}

impl<'a, T> Rows<'a, T> {
    /// `data` as rows of `per_row` elements.
    pub fn new(data: &'a mut [T], per_row: usize) -> Self {
        Self { data, per_row }
    }
}

impl<'a, T> Rows<'a, T> {
    /// Removes the first `rows` rows and returns them.
    pub fn take(&mut self, rows: usize) -> &'a mut [T] {
        let (taken, rest) = std::mem::take(&mut self.data).split_at_mut(rows * self.per_row);
        self.data = rest;
        taken
    }
}

impl<T: Send> Divide for Rows<'_, T> {
    fn divide(self, rows: usize, _: usize) -> (Self, Self) {
        let (a, b) = self.data.split_at_mut(rows * self.per_row);
        (Self::new(a, self.per_row), Self::new(b, self.per_row))
    }
}

/// A buffer with `per_range` elements per range, for example its partial sums.
#[derive(Debug)]
pub struct Parts<'a> {
    /// The elements, range after range.
    pub data: &'a mut [f32],
    /// Elements per range.
    pub per_range: usize,
}

impl<'a> Parts<'a> {
    /// `data` as parts of `per_range` elements.
    pub fn new(data: &'a mut [f32], per_range: usize) -> Self {
        Self { data, per_range }
    }
}

impl Divide for Parts<'_> {
    fn divide(self, _: usize, ranges: usize) -> (Self, Self) {
        let (a, b) = self.data.split_at_mut(ranges * self.per_range);
        (Self::new(a, self.per_range), Self::new(b, self.per_range))
    }
}

impl<A: Divide, const N: usize> Divide for [Option<A>; N] {
    fn divide(mut self, rows: usize, ranges: usize) -> (Self, Self) {
        let mut rest = [const { None }; N];
        for (rest, here) in rest.iter_mut().zip(&mut self) {
            (*here, *rest) = here.take().divide(rows, ranges);
        }
        (self, rest)
    }
}

impl<A: Divide> Divide for Option<A> {
    fn divide(self, rows: usize, ranges: usize) -> (Self, Self) {
        match self.map(|a| a.divide(rows, ranges)) {
            Some((a, b)) => (Some(a), Some(b)),
            None => (None, None),
        }
    }
}

impl<A: Divide, B: Divide> Divide for (A, B) {
    fn divide(self, rows: usize, ranges: usize) -> (Self, Self) {
        let ((a0, a1), (b0, b1)) = (self.0.divide(rows, ranges), self.1.divide(rows, ranges));
        ((a0, b0), (a1, b1))
    }
}

/// Runs `task` for each range with its part of `data`. The ranges are consecutive; `data` starts at the first.
pub fn each_range<D: Divide, F: Fn(Range<usize>, D) + Sync>(ranges: &[Range<usize>], data: D, task: &F) {
    match ranges {
        [] => {}
        [range] => task(range.clone(), data),
        _ => {
            let (left, right) = ranges.split_at(ranges.len() / 2);
            let (a, b) = data.divide(right[0].start - left[0].start, left.len());
            rayon::join(|| each_range(left, a, task), || each_range(right, b, task));
        }
    }
}
