//! Response normalization against the formula, in f64.

use pipeline::config::model::Lrn;
use pipeline::ops::Shape;
use pipeline::ops::lrn::Geometry;
use proptest::prelude::*;

use crate::given::{assert_close, numbers};
use crate::planar::{lrn_backward, lrn_forward};

/// b, and for gradients db also da, by differentiating the formula term by term.
fn twin(layer: &Lrn, shape: Shape, batch: usize, a: &[f32], db: &[f32]) -> (Vec<f64>, Vec<f64>) {
    let alpha = f64::from(layer.alpha) / if layer.divide_by_size { layer.size as f64 } else { 1.0 };
    let (beta, k, half) = (f64::from(layer.beta), f64::from(layer.k), layer.size / 2);
    let (mut b, mut da) = (vec![0.0; a.len()], vec![0.0; a.len()]);
    for n in 0..batch {
        for p in 0..shape.plane() {
            let at = |c: usize| (n * shape.channels + c) * shape.plane() + p;
            for i in 0..shape.channels {
                let window = i.saturating_sub(half)..=(i + half).min(shape.channels - 1);
                let s = k + alpha * window.clone().map(|j| f64::from(a[at(j)]).powi(2)).sum::<f64>();
                let (ai, gradient) = (f64::from(a[at(i)]), f64::from(db[at(i)]));
                b[at(i)] = ai / s.powf(beta);
                da[at(i)] += gradient / s.powf(beta);
                for j in window {
                    let slope = -beta * s.powf(-beta - 1.0) * 2.0 * alpha * f64::from(a[at(j)]);
                    da[at(j)] += gradient * ai * slope;
                }
            }
        }
    }
    (b, da)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]
    #[test]
    fn is_the_formula(
        (channels, height, width) in (1usize..28, 1usize..13, 1usize..13),
        batch in 1usize..10,
        size in 1usize..8,
        beta in prop_oneof![Just(0.75f32), 0.1f32..2.0],
        (alpha, k) in (0.0f32..2.0, 0.5f32..3.0),
        divide_by_size: bool,
    ) {
        let (layer, shape) = (Lrn { size, alpha, beta, k, divide_by_size }, Shape::new(channels, height, width));
        let g = Geometry::new(&layer, shape);
        let (a, db) = (numbers(1, batch * shape.len()), numbers(2, batch * shape.len()));
        let (b_twin, da_twin) = twin(&layer, shape, batch, &a, &db);
        assert_close("b", &lrn_forward(&g, &a), &b_twin, 1e-5);
        assert_close("da", &lrn_backward(&g, &a, &db), &da_twin, 1e-5);
    }
}
