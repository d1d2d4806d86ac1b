//! Principal components of a symmetric matrix.

/// Eigenvalues (largest first) and eigenvectors (rows) of a symmetric matrix, by Jacobi rotations. Uses only + − × ÷ √, so the
/// bits are the same everywhere. The sign is fixed by making each vector's largest component positive.
pub(in crate::dataset) fn eigen(mut a: [[f64; 3]; 3]) -> ([f64; 3], [[f64; 3]; 3]) {
    let mut vectors = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    // Convergence is quadratic: a 3 × 3 matrix is exact to the last bit after a few sweeps.
    for _ in 0..16 {
        for (p, q) in [(0, 1), (0, 2), (1, 2)] {
            if a[p][q] == 0.0 {
                continue;
            }
            let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
            let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
            let c = 1.0 / (t * t + 1.0).sqrt();
            let s = t * c;
            for row in &mut a {
                let (x, y) = (row[p], row[q]);
                (row[p], row[q]) = (c * x - s * y, s * x + c * y);
            }
            for k in 0..3 {
                let (x, y) = (a[p][k], a[q][k]);
                (a[p][k], a[q][k]) = (c * x - s * y, s * x + c * y);
                let (x, y) = (vectors[p][k], vectors[q][k]);
                (vectors[p][k], vectors[q][k]) = (c * x - s * y, s * x + c * y);
            }
        }
    }
    let mut order = [0, 1, 2];
    order.sort_by(|&i, &j| a[j][j].total_cmp(&a[i][i]));
    let upright = |v: [f64; 3]| {
        let largest = v
            .iter()
            .fold(0.0f64, |best, &x| if x.abs() > best.abs() { x } else { best });
        if largest < 0.0 { v.map(|x| -x) } else { v }
    };
    (order.map(|i| a[i][i].max(0.0)), order.map(|i| upright(vectors[i])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eigenvectors_of_a_known_matrix() {
        let a = [[4.0, 1.0, 0.5], [1.0, 3.0, -0.25], [0.5, -0.25, 2.0]];
        let (values, vectors) = eigen(a);
        assert!(values[0] >= values[1] && values[1] >= values[2]);
        for (value, v) in values.iter().zip(vectors) {
            for i in 0..3 {
                let av: f64 = (0..3).map(|j| a[i][j] * v[j]).sum();
                assert!((av - value * v[i]).abs() < 1e-12, "{av} {value} {v:?}");
            }
        }
    }
}
