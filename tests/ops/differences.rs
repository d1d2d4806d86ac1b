//! The gradient of every operation against finite differences of its own forward pass: L = Σ r · y(x), so ∂L/∂x is the result
//! of the backward pass for dy = r.

use pipeline::config::compute::Method;
use pipeline::config::model::{Lrn, MaxPool};
use pipeline::ops::dropout::{self, Masks, Units};
use pipeline::ops::map::Order;
use pipeline::ops::{Chunks, Shape, conv, linear, lrn, pool, relu, softmax, tanh};

use crate::given::{cpu, numbers};
use crate::layers::conv as layer;
use crate::planar::{Conv, lrn_backward, lrn_forward, pool_backward, pool_forward};

const BATCH: usize = 3;

/// Compares `gradient` with central differences of `forward` over a distance of `h`, at about sixty places.
fn check(what: &str, x: &[f32], h: f32, r: &[f32], gradient: &[f32], forward: &dyn Fn(&[f32]) -> Vec<f32>) {
    let total = |x: &[f32]| -> f64 {
        forward(x)
            .iter()
            .zip(r)
            .map(|(y, r)| f64::from(*y) * f64::from(*r))
            .sum()
    };
    let largest = gradient.iter().fold(1e-3f32, |largest, g| largest.max(g.abs()));
    for i in (0..x.len()).step_by(x.len().div_ceil(60)) {
        let (mut above, mut below) = (x.to_vec(), x.to_vec());
        above[i] += h;
        below[i] -= h;
        let slope = (total(&above) - total(&below)) / f64::from(above[i] - below[i]);
        let off = (slope - f64::from(gradient[i])).abs();
        assert!(
            off <= 2e-3 * f64::from(largest),
            "{what}[{i}]: {} and not {slope}",
            gradient[i]
        );
    }
}

/// Numbers that are at least 0.01 apart from each other and from 0, so that no kink is within a small step.
fn apart(count: usize) -> Vec<f32> {
    let order = pipeline::rng::permutation(3, 0, count as u32);
    order
        .into_iter()
        .map(|place| 0.02 * (place as f32 - count as f32 / 2.0) + 0.01)
        .collect()
}

#[test]
fn of_convolution() {
    // Matrix products for groups, strides and partial windows; more channels for the other two algorithms.
    let mut odd = layer("odd", 4);
    (odd.groups, odd.stride, odd.partial_windows) = (2, 2, true);
    let cases = [
        (odd, 2, Method::Auto),
        (layer("direct", 16), 8, Method::Direct),
        (layer("winograd", 16), 16, Method::Winograd),
    ];
    for (layer, channels, method) in cases {
        let g = conv::Geometry::new(&layer, Shape::new(channels, 6, 7)).unwrap();
        let conv = Conv::new(&g, Order::Blocked, method, BATCH);
        let (x, w, b) = (
            numbers(1, BATCH * g.input.len()),
            numbers(2, g.weights()),
            numbers(3, layer.channels),
        );
        let r = numbers(4, BATCH * g.output.len());
        let forward = |x: &[f32], w: &[f32], b: &[f32]| conv.forward(x, w, b, false);
        let [dx, dw, db] = conv.backward(&x, &w, &r);
        // The function is linear in each argument, so the distance may be large.
        check("dx", &x, 0.5, &r, &dx, &|x| forward(x, &w, &b));
        check("dw", &w, 0.5, &r, &dw, &|w| forward(&x, w, &b));
        check("db", &b, 0.5, &r, &db, &|b| forward(&x, &w, b));
    }
}

#[test]
fn of_the_fully_connected_layer() {
    let k = linear::cpu::Kernel::new(linear::Geometry { inputs: 13, outputs: 9 });
    let (cpu, chunks) = (cpu(), Chunks::new(BATCH));
    let (x, w, b, r) = (
        numbers(1, BATCH * 13),
        numbers(2, 9 * 13),
        numbers(3, 9),
        numbers(4, BATCH * 9),
    );
    let forward = |x: &[f32], w: &[f32], b: &[f32]| {
        let mut y = vec![0.0; r.len()];
        let mut space = vec![f32::NAN; k.space(BATCH)];
        let operands = linear::cpu::Forward {
            x,
            weight: w,
            bias: b,
            y: &mut y,
            rectify: false,
        };
        k.forward(&cpu, BATCH, operands, &mut space);
        y
    };
    let (mut dx, mut dw, mut db) = (vec![0.0; x.len()], vec![0.0; w.len()], vec![0.0; b.len()]);
    let mut space = vec![f32::NAN; k.space(BATCH)];
    let gradient = linear::cpu::WeightGradient {
        x: &x,
        dy: &r,
        dw: &mut dw,
        db: &mut db,
    };
    k.backward_weights(&cpu, &chunks, gradient, &mut space);
    k.backward_data(&cpu, BATCH, &w, &r, &mut dx, &mut space);
    check("dx", &x, 0.5, &r, &dx, &|x| forward(x, &w, &b));
    check("dw", &w, 0.5, &r, &dw, &|w| forward(&x, w, &b));
    check("db", &b, 0.5, &r, &db, &|b| forward(&x, &w, b));
}

#[test]
fn of_local_response_normalization() {
    for (beta, divide_by_size) in [(0.75, false), (0.6, true)] {
        // A large α, so that the neighbours' part of the gradient matters.
        let layer = Lrn {
            size: 5,
            alpha: 0.5,
            beta,
            k: 2.0,
            divide_by_size,
        };
        let shape = Shape::new(7, 3, 4);
        let g = lrn::Geometry::new(&layer, shape);
        let (a, r) = (numbers(1, BATCH * shape.len()), numbers(2, BATCH * shape.len()));
        let da = lrn_backward(&g, &a, &r);
        check("da", &a, 0.01, &r, &da, &|a| lrn_forward(&g, a));
    }
}

#[test]
fn of_max_pooling() {
    let layer = MaxPool {
        size: 3,
        stride: 2,
        partial_windows: true,
    };
    let g = pool::Geometry::new(&layer, Shape::new(2, 6, 7)).unwrap();
    let (x, r) = (apart(BATCH * g.input.len()), numbers(2, BATCH * g.output.len()));
    let dx = pool_backward(&g, &r, &pool_forward(&g, &x).1);
    check("dx", &x, 0.004, &r, &dx, &|x| pool_forward(&g, x).0);
}

#[test]
fn of_relu_and_tanh() {
    let (x, r) = (apart(101), numbers(2, 101));
    let of = |what: &str, forward: &dyn Fn(&mut [f32]), backward: &dyn Fn(&[f32], &mut [f32])| {
        let output = |x: &[f32]| {
            let mut y = x.to_vec();
            forward(&mut y);
            y
        };
        let mut dx = r.clone();
        backward(&output(&x), &mut dx);
        check(what, &x, 0.004, &r, &dx, &output);
    };
    of("relu", &relu::cpu::forward, &relu::cpu::backward);
    of("tanh", &tanh::cpu::forward, &tanh::cpu::backward);
}

#[test]
fn of_dropout() {
    let (units, masks) = (40, Masks::new(1, 2, 3, 0.5));
    let apply = |x: &[f32]| {
        let mut y = x.to_vec();
        y.chunks_exact_mut(units)
            .enumerate()
            .for_each(|(row, y)| dropout::cpu::apply(&masks, row, Units { first: 0, of: units }, y));
        y
    };
    let (x, r) = (numbers(1, BATCH * units), numbers(2, BATCH * units));
    // The backward pass applies the same mask to the gradient.
    check("dx", &x, 0.5, &r, &apply(&r), &apply);
}

#[test]
fn of_softmax_and_cross_entropy() {
    let (classes, labels, weights) = (6, [5u32, 0, 2], [1.0f32, 0.0, 1.0]);
    let z = numbers(1, BATCH * classes);
    let outputs = |z: &[f32]| {
        let mut p = vec![0.0; z.len()];
        softmax::cpu::probabilities(z, classes, &mut p);
        p
    };
    let mut dz = vec![0.0; z.len()];
    softmax::cpu::backward(&outputs(&z), classes, &labels, &weights, 2, &mut dz);
    check("dz", &z, 0.01, &[1.0], &dz, &|z| {
        vec![softmax::cpu::loss(z, &outputs(z), classes, &labels, &weights).mean() as f32]
    });
}
