//! Views of matrices, and their product by the `gemm` crate, on the calling thread only.

/// A readable matrix: element (i, j) is `data[i * row_stride + j * column_stride]`.
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
}

/// A writable matrix, row major.
#[derive(Debug)]
pub struct MatrixMut<'a> {
    data: &'a mut [f32],
    rows: usize,
    columns: usize,
}

impl<'a> MatrixMut<'a> {
    /// The first `rows` × `columns` elements of `data`, row major.
    pub fn new(data: &'a mut [f32], rows: usize, columns: usize) -> Self {
        assert!(
            data.len() >= rows * columns,
            "a matrix of {rows} × {columns} in {} elements",
            data.len()
        );
        Self { data, rows, columns }
    }
}

/// `to = a b`, or `to += a b` if `add`.
///
/// The order of summation depends only on the shapes and the CPU's model, because `gemm` may not use threads.
pub fn product(to: &mut MatrixMut<'_>, add: bool, a: Matrix<'_>, b: Matrix<'_>) {
    assert!(
        a.rows == to.rows && b.columns == to.columns && a.columns == b.rows,
        "shapes of a product"
    );
    if to.rows == 0 || to.columns == 0 {
        return;
    }
    // SAFETY: the constructors checked that each view is inside its slice.
    unsafe {
        gemm::gemm(
            to.rows,
            to.columns,
            a.columns,
            to.data.as_mut_ptr(),
            1,
            to.columns as isize,
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
    fn transposed_matrices_have_the_transposed_product() {
        let a: Vec<f32> = (0..12).map(|i| i as f32).collect();
        let b: Vec<f32> = (0..20).map(|i| (i % 7) as f32 - 3.0).collect();
        let (a, b) = (Matrix::new(&a, 3, 4), Matrix::new(&b, 4, 5));
        let mut whole = vec![0.0; 15];
        product(&mut MatrixMut::new(&mut whole, 3, 5), false, a, b);
        let row = [4.0, 5.0, 6.0, 7.0];
        let column = [-1.0, -3.0, 2.0, 0.0];
        assert_eq!(whole[7], row.iter().zip(column).map(|(x, y)| x * y).sum::<f32>());
        // Added to what is there.
        let mut other = vec![1.0; 15];
        product(
            &mut MatrixMut::new(&mut other, 5, 3),
            true,
            b.transposed(),
            a.transposed(),
        );
        for (i, j) in (0..3).flat_map(|i| (0..5).map(move |j| (i, j))) {
            assert_eq!(other[j * 3 + i], whole[i * 5 + j] + 1.0);
        }
    }
}
