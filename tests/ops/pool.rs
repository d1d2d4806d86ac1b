//! Max pooling against the formula.

use pipeline::config::model::MaxPool;
use pipeline::ops::Shape;
use pipeline::ops::pool::Geometry;
use proptest::prelude::*;

use crate::given::{assert_close, numbers};
use crate::planar::{pool_backward, pool_forward};

fn twin(layer: &MaxPool, g: &Geometry, maps: usize, x: &[f32], dy: &[f32]) -> (Vec<f64>, Vec<f64>) {
    let (i, o) = (g.input, g.output);
    let (mut y, mut dx) = (vec![0.0; dy.len()], vec![0.0; x.len()]);
    for m in 0..maps {
        for (q, r) in (0..o.height).flat_map(|q| (0..o.width).map(move |r| (q, r))) {
            let mut best: Option<usize> = None;
            for (ky, kx) in (0..layer.size).flat_map(|ky| (0..layer.size).map(move |kx| (ky, kx))) {
                let (row, column) = (q * layer.stride + ky, r * layer.stride + kx);
                let at = (m * i.height + row) * i.width + column;
                if row < i.height && column < i.width && best.is_none_or(|best| x[at] > x[best]) {
                    best = Some(at);
                }
            }
            let at = (m * o.height + q) * o.width + r;
            y[at] = f64::from(x[best.unwrap()]);
            dx[best.unwrap()] += f64::from(dy[at]);
        }
    }
    (y, dx)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]
    #[test]
    fn is_the_formula_and_the_first_maximum_wins(
        (channels, height, width) in (1usize..12, 1usize..15, 1usize..15),
        (size, stride) in (1usize..5, 1usize..5),
        batch in 1usize..10,
        (partial_windows, ties) in any::<(bool, bool)>(),
    ) {
        prop_assume!(size <= height.min(width) && (!partial_windows || stride <= size));
        let layer = MaxPool { size, stride, partial_windows };
        let g = Geometry::new(&layer, Shape::new(channels, height, width)).unwrap();
        let mut x = numbers(1, batch * g.input.len());
        if ties {
            for x in &mut x {
                *x = (*x * 2.0).round();
            }
        }
        let dy = numbers(2, batch * g.output.len());
        let (y_twin, dx_twin) = twin(&layer, &g, batch * channels, &x, &dy);
        let (y, places) = pool_forward(&g, &x);
        assert_close("y", &y, &y_twin, 0.0);
        assert_close("dx", &pool_backward(&g, &dy, &places), &dx_twin, 1e-6);
    }
}

#[test]
fn a_window_that_holds_a_nan_gives_it() {
    for size in [2, 3] {
        let pool = MaxPool {
            size,
            stride: 2,
            partial_windows: false,
        };
        let g = Geometry::new(&pool, Shape::new(1, size, size)).unwrap();
        for place in 0..size * size {
            let mut x = vec![1.0; size * size];
            x[place] = f32::NAN;
            assert!(pool_forward(&g, &x).0[0].is_nan(), "{place} of {size} x {size}");
        }
    }
}
