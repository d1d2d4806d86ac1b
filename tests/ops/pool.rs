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
        let (y, argmax) = pool_forward(&g, &x);
        assert_close("y", &y, &y_twin, 0.0);
        assert_close("dx", &pool_backward(&g, &dy, &argmax), &dx_twin, 1e-6);
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

/// The maximum and its place for one window of `x` per channel, [3][3] each; the place is where the gradient goes.
fn places_of(x: &[f32]) -> (Vec<f32>, Vec<usize>) {
    let layer = MaxPool {
        size: 3,
        stride: 2,
        partial_windows: false,
    };
    let g = Geometry::new(&layer, Shape::new(x.len() / 9, 3, 3)).unwrap();
    let (y, argmax) = pool_forward(&g, x);
    let dx = pool_backward(&g, &vec![1.0; y.len()], &argmax);
    let place = |dx: &[f32]| dx.iter().position(|dx| *dx == 1.0).unwrap();
    (y, dx.chunks(9).map(place).collect())
}

#[test]
fn what_is_no_number_stays_in_its_channel() {
    let mut x = numbers(3, 8 * 9);
    let (y, argmax) = places_of(&x);
    for nan in [[4, 4], [2, 7]] {
        let mut with = x.clone();
        nan.iter().for_each(|place| with[5 * 9 + place] = f32::NAN);
        let (found, found_places) = places_of(&with);
        assert!(found[5].is_nan());
        assert_eq!(found_places[5], nan[0], "the first wins");
        for channel in (0..8).filter(|channel| *channel != 5) {
            assert_eq!((found[channel], found_places[channel]), (y[channel], argmax[channel]));
        }
    }
    x[9 + 1] = f32::NEG_INFINITY;
    x[9 + 6] = f32::INFINITY;
    let (y, argmax) = places_of(&x);
    assert_eq!((y[1], argmax[1]), (f32::INFINITY, 6));
}

#[test]
fn of_zeros_with_both_signs_the_first_is_the_largest() {
    for (first, second) in [(0.0f32, -0.0f32), (-0.0, 0.0)] {
        let mut x = vec![-1.0; 9];
        (x[3], x[7]) = (first, second);
        let (y, argmax) = places_of(&x);
        assert_eq!((y[0].to_bits(), argmax[0]), (first.to_bits(), 3));
    }
}
