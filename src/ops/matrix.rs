//! Views of matrices, and their product by the `gemm` crate on the calling thread alone.

use std::marker::PhantomData;

use crate::devices::cpu::Divide;

/// A matrix to read: element (i, j) is `data[i * row_stride + j * column_stride]`.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// The first `rows` × `columns` elements of `data`, row major.
    pub fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        assert!(
            data.len() >= rows * columns,
            "a matrix of {rows} × {columns} in {} elements",
            data.len()
        );
        Self {
            data,
            rows,
            columns,
            row_stride: columns,
            column_stride: 1,
        }
    }

    /// The same elements with rows and columns swapped.
    #[must_use]
    pub fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    /// Rows `from..to`.
    #[must_use]
    pub fn rows(self, from: usize, to: usize) -> Self {
        assert!(from <= to && to <= self.rows);
        Self {
            data: &self.data[(from * self.row_stride).min(self.data.len())..],
            rows: to - from,
            ..self
        }
    }

    /// Columns `from..to`.
    #[must_use]
    pub fn columns(self, from: usize, to: usize) -> Self {
        self.transposed().rows(from, to).transposed()
    }
}

/// A matrix to write, row major; it can be cut into blocks of columns that are written in parallel.
#[derive(Debug)]
pub struct MatrixMut<'a> {
    start: *mut f32,
    rows: usize,
    columns: usize,
    row_stride: usize,
    life: PhantomData<&'a mut [f32]>,
}

// SAFETY: a `MatrixMut` is the only view of its elements, like the `&mut [f32]` that it was made from.
unsafe impl Send for MatrixMut<'_> {}

impl<'a> MatrixMut<'a> {
    /// The first `rows` × `columns` elements of `data`, row major.
    pub fn new(data: &'a mut [f32], rows: usize, columns: usize) -> Self {
        assert!(
            data.len() >= rows * columns,
            "a matrix of {rows} × {columns} in {} elements",
            data.len()
        );
        Self {
            start: data.as_mut_ptr(),
            rows,
            columns,
            row_stride: columns,
            life: PhantomData,
        }
    }

    /// The first `rows` rows, and the rest.
    pub fn split_rows(self, rows: usize) -> (Self, Self) {
        assert!(rows <= self.rows);
        let rest = self.rows - rows;
        let start = if rest == 0 {
            self.start
        } else {
            // SAFETY: row `rows` is one of the matrix, so its first element is too.
            unsafe { self.start.add(rows * self.row_stride) }
        };
        (
            Self { rows, ..self },
            Self {
                start,
                rows: rest,
                ..self
            },
        )
    }
}

/// Cuts along the columns: a "row" of [`Divide`] is a column here.
impl Divide for MatrixMut<'_> {
    fn divide(self, columns: usize, _: usize) -> (Self, Self) {
        assert!(columns <= self.columns);
        // SAFETY: `columns` is at most the number of columns, so this stays inside (or one past) the first row.
        let right = unsafe { self.start.add(columns) };
        let rest = self.columns - columns;
        (
            Self { columns, ..self },
            Self {
                start: right,
                columns: rest,
                ..self
            },
        )
    }
}

/// `to = a b`, or `to += a b` where `add`.
///
/// The order of summation depends on the shapes alone (and on the CPU's model), as `gemm` is not let use threads.
pub fn product(to: &mut MatrixMut<'_>, add: bool, a: Matrix<'_>, b: Matrix<'_>) {
    assert!(
        a.rows == to.rows && b.columns == to.columns && a.columns == b.rows,
        "shapes of a product"
    );
    if to.rows == 0 || to.columns == 0 {
        return;
    }
    // SAFETY: the constructors checked that each view lies inside its slice; `to` is the only view of what is written.
    unsafe {
        gemm::gemm(
            to.rows,
            to.columns,
            a.columns,
            to.start,
            1,
            to.row_stride as isize,
            add,
            a.data.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_columns_make_the_whole_product() {
        let a: Vec<f32> = (0..12).map(|i| i as f32).collect();
        let b: Vec<f32> = (0..20).map(|i| (i % 7) as f32 - 3.0).collect();
        let (a, b) = (Matrix::new(&a, 3, 4), Matrix::new(&b, 4, 5));
        let mut whole = vec![0.0; 15];
        product(&mut MatrixMut::new(&mut whole, 3, 5), false, a, b);
        let mut cut = vec![0.0; 15];
        let (mut left, mut right) = MatrixMut::new(&mut cut, 3, 5).divide(2, 1);
        product(&mut left, false, a, b.columns(0, 2));
        product(&mut right, false, a, b.columns(2, 5));
        assert_eq!(whole, cut);
        assert_eq!(
            whole[7],
            [4.0, 5.0, 6.0, 7.0]
                .iter()
                .zip([-1.0, -3.0, 2.0, 0.0])
                .map(|(x, y)| x * y)
                .sum::<f32>()
        );
    }
}
