//! Windows as columns of a matrix (im2col) and back (col2im).
//!
//! The matrix has a row for each (c, i, j) of the window and a column for each output position. Several images are side by
//! side, so a row is `[image][q][r]`.

use std::ops::Range;

use super::Geometry;

/// For one element of the window, along one side: the output positions for which it is inside the input, and its place in the
/// input at the first of them.
struct Line {
    inside: Range<usize>,
    start: usize,
}

/// The line of element `offset` of the windows over an input side of `input`.
fn line(geometry: &Geometry, offset: usize, input: usize, output: usize) -> Line {
    let (s, p) = (geometry.stride, geometry.padding);
    let from = p.saturating_sub(offset).div_ceil(s).min(output);
    let to = (input + p).saturating_sub(offset).div_ceil(s).clamp(from, output);
    Line {
        inside: from..to,
        start: (from * s + offset).saturating_sub(p),
    }
}

/// Fills columns `column..column + H'W'` of `matrix` (rows of `columns` elements) from one image's `maps` of one group.
pub fn gather(geometry: &Geometry, maps: &[f32], matrix: &mut [f32], columns: usize, column: usize) {
    let (input, output, kernel) = (geometry.input, geometry.output, geometry.kernel);
    let mut rows = matrix.chunks_exact_mut(columns);
    for map in maps.chunks_exact(input.plane()) {
        for i in 0..kernel {
            let vertical = line(geometry, i, input.height, output.height);
            for j in 0..kernel {
                let horizontal = line(geometry, j, input.width, output.width);
                let Some(row) = rows.next() else { return };
                let row = &mut row[column..column + output.plane()];
                gather_row(geometry, map, row, &vertical, &horizontal);
            }
        }
    }
}

/// One row of the matrix for one image: element (i, j) of every window.
fn gather_row(geometry: &Geometry, map: &[f32], row: &mut [f32], vertical: &Line, horizontal: &Line) {
    let (width, out_width, s) = (geometry.input.width, geometry.output.width, geometry.stride);
    row[..vertical.inside.start * out_width].fill(0.0);
    row[vertical.inside.end * out_width..].fill(0.0);
    let mut y = vertical.start;
    for q in vertical.inside.clone() {
        let to = &mut row[q * out_width..(q + 1) * out_width];
        let Range { start, end } = horizontal.inside;
        to[..start].fill(0.0);
        to[end..].fill(0.0);
        if start < end {
            let from = &map[y * width + horizontal.start..(y + 1) * width];
            if s == 1 {
                to[start..end].copy_from_slice(&from[..end - start]);
            } else {
                for (to, from) in to[start..end].iter_mut().zip(from.iter().step_by(s)) {
                    *to = *from;
                }
            }
        }
        y += s;
    }
}

/// Adds columns `column..column + H'W'` of `matrix` onto one image's `maps` of one group: the transpose of [`gather`].
pub fn scatter(geometry: &Geometry, matrix: &[f32], columns: usize, column: usize, maps: &mut [f32]) {
    let (input, output, kernel) = (geometry.input, geometry.output, geometry.kernel);
    let mut rows = matrix.chunks_exact(columns);
    maps.fill(0.0);
    for map in maps.chunks_exact_mut(input.plane()) {
        for i in 0..kernel {
            let vertical = line(geometry, i, input.height, output.height);
            for j in 0..kernel {
                let horizontal = line(geometry, j, input.width, output.width);
                let Some(row) = rows.next() else { return };
                scatter_row(
                    geometry,
                    &row[column..column + output.plane()],
                    map,
                    &vertical,
                    &horizontal,
                );
            }
        }
    }
}

/// Adds one row of the matrix onto the map.
fn scatter_row(geometry: &Geometry, row: &[f32], map: &mut [f32], vertical: &Line, horizontal: &Line) {
    let (width, out_width, s) = (geometry.input.width, geometry.output.width, geometry.stride);
    let Range { start, end } = horizontal.inside;
    if start == end {
        return;
    }
    let mut y = vertical.start;
    for q in vertical.inside.clone() {
        let from = &row[q * out_width + start..q * out_width + end];
        let to = &mut map[y * width + horizontal.start..(y + 1) * width];
        if s == 1 {
            for (to, from) in to.iter_mut().zip(from) {
                *to += from;
            }
        } else {
            for (to, from) in to.iter_mut().step_by(s).zip(from) {
                *to += from;
            }
        }
        y += s;
    }
}
