//! Strips: a few adjacent columns of a row-major matrix.
//!
//! Rows of w are tens of KiB apart. So each row of a strip is on its own page, which needs a page-table look-up, and in cache
//! lines that no hardware prefetcher predicts. Waiting for both took a quarter of the time of the data gradient. So a strip is
//! prefetched while another one is processed: first all pages, whose look-ups overlap, then the lines, a few rows at a time.

use crate::ops::simd::prefetch;
use crate::ops::tile::PANEL;

/// Some columns of some rows, to be read or written soon.
#[derive(Clone, Copy, Debug)]
pub struct Strip<'a> {
    /// Whole rows.
    pub rows: &'a [f32],
    /// Elements of a row.
    pub width: usize,
    /// The first column.
    pub from: usize,
    /// The column after the last.
    pub to: usize,
}

impl<'a> Strip<'a> {
    fn each(self) -> impl Iterator<Item = &'a [f32]> {
        self.rows
            .chunks_exact(self.width)
            .map(move |row| &row[self.from..self.to])
    }

    /// Prefetches both ends of each row: a strip is narrower than a page, so these are on all of its pages.
    pub fn find_pages(self) {
        for row in self.each() {
            prefetch(&row[..1]);
            prefetch(&row[row.len() - 1..]);
        }
    }

    /// Prefetches part `part` of `parts`.
    pub fn fetch(self, part: usize, parts: usize) {
        let count = self.rows.len() / self.width;
        let rows = part * count / parts..(part + 1) * count / parts;
        self.each().skip(rows.start).take(rows.len()).for_each(prefetch);
    }

    /// Copies the strip into panels of sixteen columns: `[column / 16][row][column % 16]`, with `height` rows each. Missing
    /// columns of the last panel are zero.
    pub fn pack(self, height: usize, packed: &mut [f32]) {
        for (o, row) in self.each().enumerate() {
            let (whole, rest) = row.as_chunks::<PANEL>();
            let mut panels = packed.chunks_exact_mut(height * PANEL);
            for (columns, panel) in whole.iter().zip(&mut panels) {
                panel.as_chunks_mut::<PANEL>().0[o] = *columns;
            }
            if let (false, Some(panel)) = (rest.is_empty(), panels.next()) {
                let panel = &mut panel.as_chunks_mut::<PANEL>().0[o];
                panel[..rest.len()].copy_from_slice(rest);
                panel[rest.len()..].fill(0.0);
            }
        }
    }
}

/// Copies row `row` of all panels to `to`. Panels have `height` rows.
pub fn unpack(panels: &[f32], height: usize, row: usize, to: &mut [f32]) {
    let (whole, rest) = to.as_chunks_mut::<PANEL>();
    let mut panels = panels.chunks_exact(height * PANEL);
    for (to, panel) in whole.iter_mut().zip(&mut panels) {
        *to = panel.as_chunks::<PANEL>().0[row];
    }
    if let (false, Some(panel)) = (rest.is_empty(), panels.next()) {
        rest.copy_from_slice(&panel[row * PANEL..][..rest.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strip_survives_panels_and_missing_columns_are_zero() {
        let (width, height) = (100, 3);
        let rows: Vec<f32> = (1..=width * height).map(|i| i as f32).collect();
        for (from, to) in [(0, 100), (32, 64), (96, 100), (16, 17)] {
            let strip = Strip {
                rows: &rows,
                width,
                from,
                to,
            };
            let panels = (to - from).div_ceil(PANEL);
            let mut packed = vec![f32::NAN; panels * height * PANEL];
            strip.find_pages();
            strip.fetch(0, 2);
            strip.pack(height, &mut packed);
            let missing = panels * PANEL - (to - from);
            assert_eq!(packed.iter().filter(|x| **x == 0.0).count(), missing * height);
            for row in 0..height {
                let mut back = vec![0.0; to - from];
                unpack(&packed, height, row, &mut back);
                assert_eq!(back, rows[row * width + from..row * width + to]);
            }
        }
    }
}
