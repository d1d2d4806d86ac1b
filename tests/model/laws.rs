//! Determinism: the same bits whatever the number of threads.

use pipeline::config::compute::Method;
use pipeline::config::devices::DeviceName;
use pipeline::config::model::{Convolution, Layer};
use pipeline::model::{Job, Placement, Spec, devices};

use crate::given::numbers;
use crate::layers::{conv, fc};
use crate::net::{Net, weights};
use crate::networks::{SHAPE, job, network, spec, step};

#[test]
fn a_few_steps_give_the_same_bits_with_any_number_of_threads() {
    for batch in [1, 13, 32] {
        let labels: Vec<u32> = (0..batch as u32).map(|i| i % 4).collect();
        let run = |count| {
            let mut network = network(batch, count);
            let losses: Vec<f64> = (0..4)
                .map(|i| {
                    step(
                        &mut network,
                        &numbers(i, batch * SHAPE.len()),
                        &labels,
                        &vec![1.0; batch],
                        i,
                    )
                })
                .collect();
            (losses, network.parameters().to_vec())
        };
        let one = run(1);
        for count in [2, 3, 8] {
            let other = run(count);
            assert_eq!(one.0, other.0, "losses with {count} threads");
            assert!(one.1 == other.1, "parameters with {count} threads");
        }
    }
}

/// A network whose convolutions are large enough for every algorithm.
fn wide(method: Method, threads: usize) -> Net {
    let layers = vec![
        Layer::Convolution(conv("conv1", 24)),
        Layer::Relu,
        Layer::Convolution(Convolution {
            kernel: 5,
            padding: 2,
            ..conv("conv2", 40)
        }),
        Layer::Relu,
        Layer::Convolution(Convolution {
            groups: 2,
            stride: 2,
            ..conv("conv3", 32)
        }),
        Layer::Relu,
        fc("fc4", None),
    ];
    let spec = Spec::new(&layers, SHAPE, 4).unwrap();
    let job = job(&spec, 13, threads);
    Net::new(&Job { method, ..job }, 1)
}

#[test]
fn every_algorithm_gives_the_same_bits_with_any_number_of_threads() {
    let (x, labels) = (numbers(4, 13 * SHAPE.len()), [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0]);
    for method in [Method::Direct, Method::Winograd] {
        let run = |count| {
            let mut network = wide(method, count);
            (0..3).for_each(|i| _ = step(&mut network, &x, &labels, &[1.0; 13], i));
            network.parameters().to_vec()
        };
        let one = run(1);
        assert!([2, 3, 8].into_iter().all(|count| run(count) == one), "{method:?}");
    }
}

#[test]
fn initial_weights_depend_on_the_seed_alone() {
    let spec = spec();
    let start = |seed, threads| weights(&job(&spec, 2, threads), seed);
    assert!(start(1, 1) == start(1, 3));
    assert!(start(1, 1) != start(2, 1));
}

#[test]
fn a_network_holds_the_memory_that_its_plan_says() {
    let spec = spec();
    for (batch, threads) in [(1, 1), (13, 3)] {
        let planned = devices::memory(&job(&spec, batch, threads), DeviceName::CPU, Placement::ALONE).unwrap();
        assert_eq!(network(batch, threads).device.memory(), planned);
    }
}
