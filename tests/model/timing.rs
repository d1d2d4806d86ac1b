//! The laps of a step, and what its pieces cost by their shapes.

use std::time::Duration;

use pipeline::model::presets::{self, Overrides};
use pipeline::model::{Direction, Spec};
use pipeline::ops::Shape;

use crate::given::numbers;
use crate::networks::{network, step};

#[test]
fn every_layer_is_timed_once_in_each_direction() {
    let mut network = network(5, 2);
    let x = numbers(1, 5 * network.spec.input.len());
    let (labels, weights) = ([0, 1, 2, 3, 0], [1.0; 5]);
    step(&mut network, &x, &labels, &weights, 0);
    assert_eq!(network.device.take_laps().unwrap(), [], "nobody wanted to know");
    network.device.time_passes();
    step(&mut network, &x, &labels, &weights, 1);
    let laps = network.device.take_laps().unwrap();
    assert!(laps.iter().map(|lap| lap.time).sum::<Duration>() > Duration::ZERO);
    let count = network.spec.layers.len();
    for direction in [Direction::Forward, Direction::Update] {
        let mut done: Vec<usize> = laps
            .iter()
            .filter(|lap| lap.direction == direction)
            .flat_map(|lap| lap.layers.clone())
            .collect();
        done.sort_unstable();
        let with_parameters = |layer: &usize| network.spec.layers[*layer].start.is_some();
        let expected: Vec<usize> = match direction {
            // The loss is the layer after the last.
            Direction::Forward => (0..=count).collect(),
            _ => (0..count).filter(with_parameters).collect(),
        };
        assert_eq!(done, expected, "{direction:?}");
    }
    let flops: u64 = laps
        .iter()
        .map(|lap| network.spec.flops(&lap.layers, lap.direction, 5))
        .sum();
    assert_eq!(flops, network.spec.step_flops(5));
    assert!(
        laps.iter()
            .all(|lap| network.spec.bytes(&lap.layers, lap.direction, 5) > 0)
    );
    network.evaluate(&x);
    assert!(
        network
            .device
            .take_laps()
            .unwrap()
            .iter()
            .all(|lap| lap.direction == Direction::Forward)
    );
}

#[test]
fn the_papers_network_computes_4135_megaflops_for_an_image() {
    let layers = presets::layers("alexnet", Overrides::default()).unwrap();
    let spec = Spec::new(&layers, Shape::new(3, 227, 227), 1000).unwrap();
    assert_eq!(spec.step_flops(1) / 1_000_000, 4135);
    // conv1 has no gradient of its input: 2 · 3 · 11² · 96 · 55².
    let conv1 = 2 * 3 * 121 * 96 * 55 * 55;
    assert_eq!(spec.flops(&(0..1), Direction::BackwardWeights, 2), 2 * conv1);
    assert_eq!(spec.flops(&(0..2), Direction::Forward, 2), 2 * conv1);
    assert_eq!(spec.flops(&(0..1), Direction::BackwardData, 2), 0);
}

#[test]
fn least_traffic_leaves_out_what_passes_between_layers_done_together() {
    let layers = presets::layers("alexnet", Overrides::default()).unwrap();
    let spec = Spec::new(&layers, Shape::new(3, 227, 227), 1000).unwrap();
    let (input, conv1, pool1) = (4 * 3 * 227 * 227, 4 * 96 * 55 * 55, 4 * 96 * 27 * 27);
    let parameters = 4 * (96 * 363 + 96);
    assert_eq!(
        spec.bytes(&(0..2), Direction::Forward, 3),
        3 * (input + conv1) + parameters
    );
    assert_eq!(spec.bytes(&(2..4), Direction::Forward, 3), 3 * (conv1 + pool1));
    assert_eq!(
        spec.bytes(&(2..4), Direction::BackwardData, 1),
        conv1 + (conv1 + pool1 / 4) + pool1
    );
    assert_eq!(
        spec.bytes(&(0..1), Direction::BackwardWeights, 1),
        conv1 + input + parameters
    );
    assert_eq!(spec.bytes(&(0..1), Direction::Update, 7), 5 * parameters);
}
