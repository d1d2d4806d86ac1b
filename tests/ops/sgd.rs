//! The update against the paper's formula.

use pipeline::ops::sgd::{Rate, cpu};

use crate::given::{assert_close, cpu as device, numbers};

#[test]
fn two_updates_are_the_formula() {
    let rate = Rate {
        lr: 0.01,
        momentum: 0.9,
        weight_decay: 0.0005,
        frozen: false,
    };
    let (mut w, mut v) = (numbers(1, 100_001), numbers(2, 100_001));
    let mut w_twin: Vec<f64> = w.iter().copied().map(f64::from).collect();
    let mut v_twin: Vec<f64> = v.iter().copied().map(f64::from).collect();
    for step in 0..2 {
        let g = numbers(3 + step, 100_001);
        cpu::update(&device(), rate, &mut w, &mut v, &g);
        for ((w, v), g) in w_twin.iter_mut().zip(&mut v_twin).zip(&g) {
            *v = 0.9 * *v - 0.0005 * 0.01 * *w - 0.01 * f64::from(*g);
            *w += *v;
        }
    }
    assert_close("w", &w, &w_twin, 1e-6);
    assert_close("v", &v, &v_twin, 1e-6);
}

#[test]
fn a_frozen_parameter_keeps_its_value_and_momentum() {
    let rate = Rate {
        lr: 0.01,
        momentum: 0.9,
        weight_decay: 0.0005,
        frozen: true,
    };
    let (mut w, mut v) = (vec![1.0], vec![2.0]);
    cpu::update(&device(), rate, &mut w, &mut v, &[3.0]);
    assert_eq!((w, v), (vec![1.0], vec![2.0]));
}
