//! The fully connected layer against the formula, in f64.

use pipeline::ops::Chunks;
use pipeline::ops::linear::Geometry;
use pipeline::ops::linear::cpu::{Forward, Kernel, WeightGradient};
use proptest::prelude::*;

use crate::given::{assert_close, cpu, numbers};

fn check(inputs: usize, outputs: usize, batch: usize) {
    let kernel = Kernel::new(Geometry { inputs, outputs });
    let (cpu, chunks) = (cpu(), Chunks::new(batch));
    let (x, w) = (numbers(1, batch * inputs), numbers(2, outputs * inputs));
    let (b, dy) = (numbers(3, outputs), numbers(4, batch * outputs));
    let mut y_twin = vec![0.0; dy.len()];
    let (mut dx_twin, mut dw_twin, mut db_twin) = (vec![0.0; x.len()], vec![0.0; w.len()], vec![0.0; b.len()]);
    for n in 0..batch {
        for o in 0..outputs {
            let gradient = f64::from(dy[n * outputs + o]);
            y_twin[n * outputs + o] = f64::from(b[o]);
            db_twin[o] += gradient;
            for i in 0..inputs {
                let (x, w) = (f64::from(x[n * inputs + i]), f64::from(w[o * inputs + i]));
                y_twin[n * outputs + o] += w * x;
                dx_twin[n * inputs + i] += w * gradient;
                dw_twin[o * inputs + i] += x * gradient;
            }
        }
    }
    let mut space = vec![f32::NAN; kernel.space(batch)];
    let (mut y, mut dx, mut dw, mut db) = (dy.clone(), x.clone(), w.clone(), b.clone());
    let mut forward = |y: &mut [f32], rectify| {
        let operands = Forward {
            x: &x,
            weight: &w,
            bias: &b,
            y,
            rectify,
        };
        kernel.forward(&cpu, batch, operands, &mut space);
    };
    forward(&mut y, false);
    assert_close("y", &y, &y_twin, 1e-5);
    forward(&mut y, true);
    assert_close(
        "rectified y",
        &y,
        &y_twin.iter().map(|y| y.max(0.0)).collect::<Vec<_>>(),
        1e-5,
    );
    let gradient = WeightGradient {
        x: &x,
        dy: &dy,
        dw: &mut dw,
        db: &mut db,
    };
    kernel.backward_weights(&cpu, &chunks, gradient, &mut space);
    kernel.backward_data(&cpu, batch, &w, &dy, &mut dx, &mut space);
    assert_close("dx", &dx, &dx_twin, 1e-5);
    assert_close("dw", &dw, &dw_twin, 1e-5);
    assert_close("db", &db, &db_twin, 1e-5);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]
    #[test]
    fn is_the_formula(inputs in 1usize..150, outputs in 1usize..150, batch in 1usize..20) {
        check(inputs, outputs, batch);
    }
}

#[test]
fn is_the_formula_in_many_blocks() {
    check(1111, 300, 9);
    // An odd number of image panels, and the largest blocks and strips.
    check(300, 20, 40);
    check(3700, 1500, 3);
    // Halves with more images than one sum of the forward pass has terms.
    check(40, 50, 600);
}
