//! Rows that do not count: beyond the tail of an epoch, or of weight 0.

use pipeline::config::model::Layer;
use pipeline::model::{Parameter, Spec};

use crate::given::{assert_close, numbers};
use crate::layers::{fc, lrn};
use crate::net::Net;
use crate::networks::{RATE, SHAPE, job, network, step};

const IMAGE: usize = SHAPE.len();
const LABELS: [u32; 16] = [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3];

fn trained(steps: impl Fn(&mut Net)) -> Vec<Parameter> {
    let mut network = network(16, 2);
    steps(&mut network);
    network.parameters().to_vec()
}

#[test]
fn a_short_batch_is_a_full_one_whose_tail_has_weight_0() {
    let x = numbers(1, 16 * IMAGE);
    for rows in [0, 1, 5, 9, 16] {
        let mut weights = [0.0; 16];
        weights[..rows].fill(1.0);
        let short = trained(|network| {
            step(network, &numbers(2, 16 * IMAGE), &LABELS, &[1.0; 16], 0);
            step(network, &x[..rows * IMAGE], &LABELS, &weights, 1);
        });
        let full = trained(|network| {
            step(network, &numbers(2, 16 * IMAGE), &LABELS, &[1.0; 16], 0);
            step(network, &x, &LABELS, &weights, 1);
        });
        assert!(short == full, "{rows} rows");
    }
}

/// A normalization of vectors works on the rows in use alone, and the layer before it on all rows of the batch.
#[test]
fn a_short_batch_is_a_full_one_in_a_network_that_normalizes_vectors() {
    let layers = [fc("first", Some(12)), Layer::Relu, lrn(5), fc("last", None)];
    let spec = Spec::new(&layers, SHAPE, 4).unwrap();
    let (x, mut weights) = (numbers(1, 16 * IMAGE), [1.0; 16]);
    weights[9..].fill(0.0);
    let trained = |rows: usize| {
        let mut net = Net::new(&job(&spec, 16, 2), 1);
        step(&mut net, &numbers(2, 16 * IMAGE), &LABELS, &[1.0; 16], 0);
        step(&mut net, &x[..rows * IMAGE], &LABELS, &weights, 1);
        net.parameters().to_vec()
    };
    assert!(trained(9) == trained(16));
}

#[test]
fn what_a_row_of_weight_0_shows_makes_no_difference() {
    let mut weights = [1.0; 16];
    (weights[3], weights[10]) = (0.0, 0.0);
    let with = |seed| {
        let mut x = numbers(1, 16 * IMAGE);
        for row in [3, 10] {
            x[row * IMAGE..(row + 1) * IMAGE].copy_from_slice(&numbers(seed, IMAGE));
        }
        trained(|network| (0..3).for_each(|i| _ = step(network, &x, &LABELS, &weights, i)))
    };
    assert!(with(5) == with(6));
}

#[test]
fn evaluation_of_some_rows_gives_the_bits_of_evaluating_all() {
    let mut network = network(16, 2);
    let x = numbers(1, 16 * IMAGE);
    let mut evaluate = |rows: usize| {
        // What is left of the batch before makes no difference.
        network.evaluate(&vec![f32::NAN; 16 * IMAGE]);
        network.evaluate(&x[..rows * IMAGE])
    };
    let all = evaluate(16);
    assert_eq!(all.len(), 64);
    for rows in [1, 3, 8, 11] {
        assert_eq!(evaluate(rows), all[..4 * rows]);
    }
}

#[test]
fn a_batch_without_a_present_row_moves_weights_by_momentum_and_decay_alone() {
    let mut network = network(16, 2);
    // So that there is a momentum.
    step(&mut network, &numbers(1, 16 * IMAGE), &LABELS, &[1.0; 16], 0);
    let before = network.parameters().to_vec();
    let loss = step(&mut network, &numbers(2, 16 * IMAGE), &LABELS, &[0.0; 16], 1);
    assert_eq!(loss, 0.0);
    assert!(network.inside().gradients.iter().flatten().all(|g| *g == 0.0));
    for (before, after) in before.iter().zip(network.parameters()) {
        assert!(
            before.momentum.iter().any(|v| *v != 0.0),
            "{} stands still",
            before.name
        );
        let twins = before.value.iter().zip(&before.momentum).map(|(w, v)| {
            let [w, v, lr] = [*w, *v, RATE.lr].map(f64::from);
            let v = f64::from(RATE.momentum) * v - f64::from(RATE.weight_decay) * lr * w;
            (w + v, v)
        });
        let (weights, momenta): (Vec<f64>, Vec<f64>) = twins.unzip();
        assert_close(&after.name, &after.value, &weights, 1e-6);
        assert_close(&after.name, &after.momentum, &momenta, 1e-6);
    }
}
