//! Networks that cannot be built say why and what to do.

use pipeline::config::model::{Convolution, Dropout, Layer, Lrn, MaxPool};
use pipeline::model::{ModelError, Spec};
use pipeline::ops::{Shape, windows};

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
            "conv1: a window of 11×11 does not fit an input of 3×8×8 with 1 of padding",
        ),
        (conv(|c| c.stride = 0), "conv1: stride must be at least 1"),
        (conv(|c| c.padding = 1025), "conv1: padding must be at most 1024"),
        (conv(|c| c.name = String::new()), "layer 0 (conv) has no name"),
        (pool(9, 2, true), "maxpool1: a window of 9×9 does not fit"),
        (pool(2, 3, true), "maxpool1: stride must be at most size"),
        (lrn, "lrn1: k must be greater than 0"),
        (
            Layer::Dropout(Dropout { p: 1.0 }),
            "dropout1: p must be at least 0 and less than 1",
        ),
        (fc("fc2", None), "two layers are called \"fc2\""),
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
