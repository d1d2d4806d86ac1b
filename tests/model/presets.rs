//! The presets are the networks that they say they are.

use pipeline::config::devices::DeviceName;
use pipeline::config::model::{Init, Layer};
use pipeline::model::presets::{self, Overrides};
use pipeline::model::{Placement, Spec, devices};
use pipeline::ops::Shape;

use crate::networks::job;

fn spec(name: &str, side: usize, classes: usize) -> Spec {
    let layers = presets::layers(name, Overrides::default()).unwrap();
    Spec::new(&layers, Shape::new(3, side, side), classes).unwrap()
}

#[test]
fn alexnet_has_the_papers_parameters_and_shapes() {
    let spec = spec("alexnet", 224, 1000);
    assert_eq!(spec.parameters(), 60_965_224);
    let outputs = |kind: &str| -> Vec<usize> {
        spec.layers
            .iter()
            .filter(|l| l.operation.kind() == kind)
            .map(|l| l.output.len())
            .collect()
    };
    assert_eq!(outputs("conv"), [290_400, 186_624, 64_896, 64_896, 43_264]);
    assert_eq!(outputs("fc"), [4096, 4096, 1000]);
}

#[test]
fn the_single_tower_has_torchvisions_parameters() {
    assert_eq!(spec("alexnet-one-tower", 224, 1000).parameters(), 61_100_840);
}

#[test]
fn every_preset_fits_the_sizes_that_it_is_for() {
    let sizes = [128, 128, 48, 28, 32, 32];
    for (name, side) in presets::NAMES.into_iter().zip(sizes) {
        let usual = presets::usual(name).unwrap().side;
        for side in [side, side + side / 4, usual] {
            let memory =
                devices::memory(&job(&spec(name, side, 10), 128, 1), DeviceName::CPU, Placement::ALONE).unwrap();
            assert!(memory.scratch.get() > 0);
        }
    }
    assert!(spec("alexnet-medium", 96, 10).parameters() < 10_000_000);
    assert_eq!(presets::layers("alexnet-large", Overrides::default()), None);
}

#[test]
fn overrides_reach_every_layer_that_they_name() {
    let overrides = Overrides {
        dropout: Some(0.3),
        init: Some(Init::He),
        hidden_bias: Some(0.5),
    };
    for layer in presets::layers("alexnet", overrides).unwrap() {
        match layer {
            Layer::Dropout(dropout) => assert_eq!(dropout.p, 0.3),
            Layer::Convolution(conv) => assert_eq!((conv.init, conv.bias), (Init::He, 0.5)),
            Layer::FullyConnected(fc) => {
                assert_eq!((fc.init, fc.bias), (Init::He, if fc.name == "fc8" { 0.0 } else { 0.5 }));
            }
            _ => {}
        }
    }
    let none = presets::layers(
        "alexnet",
        Overrides {
            dropout: Some(0.0),
            ..Overrides::default()
        },
    )
    .unwrap();
    assert!(!none.iter().any(|layer| matches!(layer, Layer::Dropout(_))));
}
