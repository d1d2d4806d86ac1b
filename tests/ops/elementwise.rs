//! Rectifiers, tanh and dropout.

use pipeline::ops::dropout::{self, Masks, Units};
use pipeline::ops::{relu, tanh};

use crate::given::{assert_close, numbers};

#[test]
fn relu_is_the_formula_and_lets_nan_pass() {
    let (x, dy) = (numbers(1, 100_003), numbers(2, 100_003));
    let (mut y, mut dx) = (x.clone(), dy.clone());
    relu::cpu::forward(&mut y);
    relu::cpu::backward(&y, &mut dx);
    for i in 0..x.len() {
        assert_eq!(y[i], x[i].max(0.0));
        assert_eq!(dx[i], if x[i] > 0.0 { dy[i] } else { 0.0 });
    }
    assert!(relu::rectify(f32::NAN).is_nan());
}

#[test]
fn tanh_is_the_formula() {
    let (x, dy) = (numbers(1, 100_003), numbers(2, 100_003));
    let (mut y, mut dx) = (x.clone(), dy.clone());
    tanh::cpu::forward(&mut y);
    tanh::cpu::backward(&y, &mut dx);
    let y_twin: Vec<f64> = x.iter().map(|x| f64::from(*x).tanh()).collect();
    let dx_twin: Vec<f64> = x
        .iter()
        .zip(&dy)
        .map(|(x, dy)| f64::from(*dy) / f64::from(*x).cosh().powi(2))
        .collect();
    assert_close("y", &y, &y_twin, 1e-6);
    assert_close("dx", &dx, &dx_twin, 1e-6);
}

#[test]
fn dropout_drops_the_share_that_p_says_and_keeps_the_rest_as_it_is() {
    let (rows, units) = (64, 501);
    for p in [0.0f32, 0.25, 0.5, 0.9] {
        let mut x = vec![1.0f32; rows * units];
        let masks = Masks::new(1, 2, 3, p);
        x.chunks_exact_mut(units)
            .enumerate()
            .for_each(|(row, x)| dropout::cpu::apply(&masks, row, Units { first: 0, of: units }, x));
        assert!(x.iter().all(|x| *x == 0.0 || *x == 1.0));
        let dropped = x.iter().filter(|x| **x == 0.0).count() as f64 / x.len() as f64;
        let sigma = f64::from(p * (1.0 - p) / x.len() as f32).sqrt();
        assert!((dropped - f64::from(p)).abs() <= 4.0 * sigma, "{dropped} for {p}");
    }
    let mut x = vec![2.0f32; 10];
    dropout::cpu::scale(0.25, &mut x);
    assert_eq!(x, [1.5; 10]);
}

#[test]
fn a_mask_depends_on_seed_step_layer_and_row_alone() {
    let mask = |seed, step, layer, row| {
        let mut x = vec![1.0f32; 103];
        let masks = Masks::new(seed, step, layer, 0.5);
        dropout::cpu::apply(&masks, row, Units { first: 0, of: 103 }, &mut x);
        x
    };
    assert_eq!(mask(1, 2, 3, 4), mask(1, 2, 3, 4));
    for other in [mask(2, 2, 3, 4), mask(1, 3, 3, 4), mask(1, 2, 4, 4), mask(1, 2, 3, 5)] {
        assert_ne!(mask(1, 2, 3, 4), other);
    }
}
