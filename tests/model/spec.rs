//! Networks that cannot be built say why and what to do.

use pipeline::config::compute::Method;
use pipeline::config::devices::DeviceName;
use pipeline::config::model::{Convolution, Dropout, FullyConnected, Init, Layer, Lrn, MaxPool};
use pipeline::model::{Job, Memory, ModelError, Placement, Spec, devices};
use pipeline::ops::{LARGEST, Shape, windows};
use proptest::prelude::*;

use crate::layers::{conv, fc};

fn refused(layers: &[Layer]) -> String {
    Spec::new(layers, Shape::new(3, 8, 8), 10).unwrap_err().to_string()
}

#[test]
fn each_mistake_names_its_layer() {
    let conv = |change: fn(&mut Convolution)| {
        let mut layer = conv("conv1", 4);
        change(&mut layer);
        Layer::Convolution(layer)
    };
    let pool = |size, stride, partial_windows| {
        Layer::MaxPool(MaxPool {
            size,
            stride,
            partial_windows,
        })
    };
    let lrn = Layer::Lrn(Lrn {
        size: 5,
        alpha: 1.0,
        beta: 0.75,
        k: 0.0,
        divide_by_size: false,
    });
    let cases = [
        (
            conv(|c| c.groups = 2),
            "conv1: 2 groups do not divide 3 input and 4 output channels",
        ),
        (
            conv(|c| c.kernel = 11),
            "conv1: a window of 11×11 does not fit an input of 3×8×8 with a padding of 1",
        ),
        (conv(|c| c.stride = 0), "conv1: stride must be at least 1"),
        (conv(|c| c.padding = 1025), "conv1: padding must be at most 1024"),
        (conv(|c| c.stride = usize::MAX), "conv1: stride must be at most 1024"),
        (
            conv(|c| c.channels = 1 << 28),
            "conv1: too many outputs for one image, the limit is 4294967295",
        ),
        (fc("fc1", Some(1 << 40)), "fc1: too many outputs for one image"),
        (
            fc("fc1", Some(1 << 31)),
            "fc1: too many weights, the limit is 4294967295",
        ),
        (conv(|c| c.name = String::new()), "layer 0 (conv) has no name"),
        (pool(9, 2, true), "maxpool1: a window of 9×9 does not fit"),
        (pool(2, 3, true), "maxpool1: stride must be at most size"),
        (lrn, "lrn1: k must be greater than 0"),
        (
            Layer::Dropout(Dropout { p: 1.0 }),
            "dropout1: p must be at least 0 and less than 1",
        ),
        (fc("fc2", None), "two layers are named \"fc2\""),
    ];
    for (layer, message) in cases {
        let text = refused(&[layer, fc("fc2", None)]);
        assert!(text.starts_with(message), "{text}");
    }
}

#[test]
fn the_last_layer_has_one_output_for_each_class() {
    assert_eq!(refused(&[]), ModelError::Empty.to_string());
    assert!(refused(&[fc("fc1", Some(9))]).starts_with("the last layer (fc1) must be of type \"fc\" with one output"));
    assert!(refused(&[fc("fc1", None), Layer::Relu]).starts_with("the last layer (relu1)"));
    assert!(Spec::new(&[fc("fc1", Some(10))], Shape::new(3, 8, 8), 10).is_ok());
}

#[test]
fn a_row_of_the_table_counts_parameters_and_products() {
    let spec = Spec::new(
        &[Layer::Convolution(conv("conv1", 4)), fc("fc2", None)],
        Shape::new(3, 8, 8),
        10,
    )
    .unwrap();
    let rows: Vec<_> = spec
        .layers
        .iter()
        .map(|l| (l.name.as_str(), l.parameters(), l.multiply_adds()))
        .collect();
    assert_eq!(rows, [("conv1", 4 * 27 + 4, 4 * 27 * 64), ("fc2", 2570, 2560)]);
    assert_eq!((spec.parameters(), spec.multiply_adds()), (112 + 2570, 6912 + 2560));
}

#[test]
fn windows_are_counted_as_the_paper_and_as_others_do() {
    assert_eq!(windows(224, 11, 4, 0, true), Some(55));
    assert_eq!(windows(224, 11, 4, 0, false), Some(54));
    assert_eq!(windows(224, 11, 4, 2, false), Some(55));
    assert_eq!(windows(2, 3, 1, 0, true), None);
}

/// Numbers of which some have products that no type holds.
fn number() -> impl Strategy<Value = usize> {
    prop_oneof![
        0..20_usize,
        prop::sample::select(vec![
            96,
            1000,
            1024,
            1 << 16,
            1 << 31,
            1 << 33,
            usize::MAX / 2,
            usize::MAX
        ])
    ]
}

fn layer(number_of_it: usize) -> impl Strategy<Value = Layer> {
    let name = format!("l{number_of_it}");
    let init = Init::He;
    let numbers = (number(), number(), number(), number(), number(), any::<bool>());
    (0..7_usize, numbers).prop_map(move |(kind, (a, b, c, d, e, partial_windows))| match kind {
        0 | 1 => Layer::Convolution(Convolution {
            name: name.clone(),
            channels: a,
            kernel: b,
            stride: c,
            padding: d,
            groups: if kind == 0 { 1 } else { e },
            partial_windows,
            init,
            bias: 0.0,
        }),
        2 => Layer::FullyConnected(FullyConnected {
            name: name.clone(),
            outputs: Some(a),
            init,
            bias: 0.0,
        }),
        3 => Layer::Lrn(Lrn {
            size: a,
            alpha: 1.0,
            beta: 0.75,
            k: 1.0,
            divide_by_size: partial_windows,
        }),
        4 => Layer::MaxPool(MaxPool {
            size: a,
            stride: b,
            partial_windows,
        }),
        5 => Layer::Tanh,
        _ => Layer::Dropout(Dropout { p: 0.5 }),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn a_network_of_any_numbers_is_refused_or_its_sizes_hold(
        layers in (0..4_usize).prop_flat_map(|count| (0..count).map(layer).collect::<Vec<_>>()),
        side in number(),
        classes in number(),
        batch in 1..1_usize << 24,
    ) {
        let layers: Vec<_> = layers.into_iter().chain([fc("last", None)]).collect();
        let Ok(spec) = Spec::new(&layers, Shape::new(3, side, side), classes) else { return Ok(()) };
        for layer in &spec.layers {
            let Shape { channels, height, width } = layer.output;
            let len = channels as u128 * height as u128 * width as u128;
            prop_assert!(len <= LARGEST as u128 && layer.output.len() as u128 == len);
        }
        for method in [Method::Direct, Method::Auto] {
            let job = |threads| Job { method, threads, ..Job::new(&spec, batch) };
            let [few, many] = [1, 1025].map(|threads| devices::memory(&job(threads), DeviceName::CPU, Placement::ALONE).unwrap());
            let least = 4 * batch as u128 * (spec.input.len() + spec.classes) as u128;
            prop_assert!(u128::from(many.activations.get()) >= least);
            // Threads need scratch memory, each the same, and nothing else.
            let [few_scratch, many_scratch] = [few, many].map(|memory| u128::from(memory.scratch.get()));
            prop_assert!(many_scratch < u128::from(u64::MAX) && (many_scratch - few_scratch).is_multiple_of(4 * 1024));
            prop_assert_eq!(Memory { scratch: few.scratch, ..many }, few);
        }
    }
}
