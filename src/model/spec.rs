//! The network: the configuration's list of layers, applied to an input shape.

use std::collections::BTreeSet;

use super::ModelError;
use super::layer::{LayerSpec, Operation, Span, Start};
use crate::config::model::{Convolution, Dropout, FullyConnected, Layer, Lrn, MaxPool, WINDOW};
use crate::ops::{self, Shape, conv, linear, lrn, pool};
use crate::rng::Purpose;

/// A whole network for one input shape and number of classes.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// Shape of one image.
    pub input: Shape,
    /// Outputs of the last layer.
    pub classes: usize,
    /// The layers in order.
    pub layers: Vec<LayerSpec>,
}

impl Spec {
    /// Follows the shapes through `layers`.
    pub fn new(layers: &[Layer], input: Shape, classes: usize) -> Result<Self, ModelError> {
        if input.is_empty() {
            return Err(ModelError::Zero {
                what: "the input's channels, height and width",
            });
        }
        if input.len() > ops::LARGEST {
            return Err(ModelError::TooLarge {
                layer: "the input".to_owned(),
                what: "values of one image",
                most: ops::LARGEST as u64,
            });
        }
        if classes == 0 {
            return Err(ModelError::Zero {
                what: "the number of classes",
            });
        }
        let mut specs: Vec<LayerSpec> = Vec::with_capacity(layers.len());
        let mut shape = input;
        for (index, layer) in layers.iter().enumerate() {
            let numbered = (name(layers, index), number(layers, index));
            let spec = follow(layer, numbered, shape, classes)?;
            bounded(&spec)?;
            shape = spec.output;
            specs.push(spec);
        }
        check_names(layers)?;
        match specs.last() {
            None => Err(ModelError::Empty),
            Some(last) if !matches!(last.operation, Operation::Linear(_)) || shape != Shape::vector(classes) => {
                Err(ModelError::Last {
                    layer: last.name.clone(),
                    classes,
                })
            }
            Some(_) => Ok(Self {
                input,
                classes,
                layers: specs,
            }),
        }
    }

    /// Weights and biases of all layers.
    pub fn parameters(&self) -> usize {
        self.layers.iter().map(LayerSpec::parameters).sum()
    }

    /// Multiplications and additions of the forward pass for one image.
    pub fn multiply_adds(&self) -> u64 {
        self.layers.iter().map(LayerSpec::multiply_adds).sum()
    }

    /// The max pooling behind layer `index` that is computed before it, if the layer is the activation of a
    /// convolution.
    ///
    /// `ReLU` and tanh are monotonic, so the result is the same, and the convolution's output, the largest value of the
    /// network, is not needed any more once it is pooled.
    pub(super) fn pooled_before(&self, index: usize) -> Option<&LayerSpec> {
        let (before, pooling) = (self.layers.get(index.checked_sub(1)?)?, self.layers.get(index + 1)?);
        let activation = matches!(self.layers.get(index)?.operation, Operation::Relu | Operation::Tanh);
        let between = matches!(
            (&before.operation, &pooling.operation),
            (Operation::Conv(_), Operation::Pool(_))
        );
        (activation && between).then_some(pooling)
    }
}

/// The layer's own name, or its kind with a number among its kind: `maxpool2`.
fn name(layers: &[Layer], index: usize) -> String {
    let kind = |layer: &Layer| match layer {
        Layer::Convolution(_) => "conv",
        Layer::FullyConnected(_) => "fc",
        Layer::Relu => "relu",
        Layer::Tanh => "tanh",
        Layer::Lrn(_) => "lrn",
        Layer::MaxPool(_) => "maxpool",
        Layer::Dropout(_) => "dropout",
    };
    match &layers[index] {
        Layer::Convolution(Convolution { name, .. }) | Layer::FullyConnected(FullyConnected { name, .. }) => {
            name.clone()
        }
        layer => {
            let number = layers[..=index]
                .iter()
                .filter(|other| kind(other) == kind(layer))
                .count();
            format!("{}{number}", kind(layer))
        }
    }
}

/// How many of the layers before layer `index` draw random numbers for the same purpose as that layer.
fn number(layers: &[Layer], index: usize) -> u32 {
    let purpose = |layer: &Layer| match layer {
        Layer::Convolution(_) | Layer::FullyConnected(_) => Some(Purpose::Init),
        Layer::Dropout(_) => Some(Purpose::Dropout),
        Layer::Relu | Layer::Tanh | Layer::Lrn(_) | Layer::MaxPool(_) => None,
    };
    let own = purpose(&layers[index]);
    let before = layers[..index].iter().filter(|layer| purpose(layer) == own);
    before.count() as u32
}

fn check_names(layers: &[Layer]) -> Result<(), ModelError> {
    let mut seen = BTreeSet::new();
    for (index, layer) in layers.iter().enumerate() {
        let (name, kind) = match layer {
            Layer::Convolution(conv) => (&conv.name, "conv"),
            Layer::FullyConnected(fc) => (&fc.name, "fc"),
            _ => continue,
        };
        if name.is_empty() {
            return Err(ModelError::Unnamed { index, kind });
        }
        if !seen.insert(name) {
            return Err(ModelError::Duplicate { name: name.clone() });
        }
    }
    Ok(())
}

fn follow(layer: &Layer, (name, number): (String, u32), input: Shape, classes: usize) -> Result<LayerSpec, ModelError> {
    let mut start = None;
    let (operation, output) = match layer {
        Layer::Convolution(layer) => {
            let geometry = convolution(layer, &name, input)?;
            let weight = vec![layer.channels, geometry.group_inputs(), layer.kernel, layer.kernel];
            start = Some(Start {
                init: layer.init,
                bias: layer.bias,
                weight,
                number,
            });
            let output = geometry.output;
            (Operation::Conv(geometry), output)
        }
        Layer::FullyConnected(layer) => {
            let geometry = linear::Geometry {
                inputs: input.len(),
                outputs: layer.outputs.unwrap_or(classes),
            };
            require(geometry.outputs > 0, &name, "outputs", "at least 1")?;
            let weight = vec![geometry.outputs, geometry.inputs];
            start = Some(Start {
                init: layer.init,
                bias: layer.bias,
                weight,
                number,
            });
            (Operation::Linear(geometry), Shape::vector(geometry.outputs))
        }
        Layer::Relu => (Operation::Relu, input),
        Layer::Tanh => (Operation::Tanh, input),
        Layer::Lrn(layer) => (Operation::Lrn(normalisation(layer, &name, input)?), input),
        Layer::MaxPool(layer) => {
            let geometry = pooling(layer, &name, input)?;
            (Operation::Pool(geometry), geometry.output)
        }
        Layer::Dropout(Dropout { p }) => {
            require((0.0..1.0).contains(p), &name, "p", "at least 0 and less than 1")?;
            (Operation::Dropout { p: *p, number }, input)
        }
    };
    Ok(LayerSpec {
        name,
        operation,
        input,
        output,
        span: Span {
            first: 0,
            of: output.channels,
        },
        start,
    })
}

/// Refuses layers so large that sizes computed from theirs could overflow.
fn bounded(spec: &LayerSpec) -> Result<(), ModelError> {
    let (weights, fits) = match &spec.operation {
        Operation::Conv(conv) => (conv.weights(), true),
        Operation::Linear(linear) => (linear.weights(), linear.fits()),
        _ => (0, true),
    };
    let most = ops::LARGEST as u64;
    let refused = [
        (spec.output.len() > ops::LARGEST, "outputs for one image", most),
        (weights > ops::LARGEST, "weights", most),
        (
            spec.multiply_adds() > ops::MAX_PRODUCTS,
            "multiplications for one image",
            ops::MAX_PRODUCTS,
        ),
        (!fits, "weights in one block of outputs", most),
    ];
    match refused.into_iter().find(|(is_too_large, ..)| *is_too_large) {
        None => Ok(()),
        Some((_, what, most)) => Err(ModelError::TooLarge {
            layer: spec.name.clone(),
            what,
            most,
        }),
    }
}

fn require(holds: bool, layer: &str, key: &'static str, must: &'static str) -> Result<(), ModelError> {
    if holds {
        Ok(())
    } else {
        Err(ModelError::Value {
            layer: layer.to_owned(),
            key,
            must,
        })
    }
}

fn convolution(layer: &Convolution, name: &str, input: Shape) -> Result<conv::Geometry, ModelError> {
    let &Convolution {
        channels,
        kernel,
        stride,
        padding,
        groups,
        ..
    } = layer;
    for (value, key) in [
        (channels, "channels"),
        (kernel, "kernel"),
        (stride, "stride"),
        (groups, "groups"),
    ] {
        require(value > 0, name, key, "at least 1")?;
    }
    for (value, key) in [(kernel, "kernel"), (stride, "stride"), (padding, "padding")] {
        require(value <= WINDOW, name, key, "at most 1024")?;
    }
    if !channels.is_multiple_of(groups) || !input.channels.is_multiple_of(groups) {
        let (inputs, outputs) = (input.channels, channels);
        return Err(ModelError::Groups {
            layer: name.to_owned(),
            groups,
            inputs,
            outputs,
        });
    }
    conv::Geometry::new(layer, input).ok_or(ModelError::Window {
        layer: name.to_owned(),
        size: kernel,
        padding,
        input,
    })
}

fn normalisation(layer: &Lrn, name: &str, input: Shape) -> Result<lrn::Geometry, ModelError> {
    require((1..=WINDOW).contains(&layer.size), name, "size", "between 1 and 1024")?;
    require(
        layer.k > 0.0,
        name,
        "k",
        "greater than 0, because the sum that it is added to may be 0",
    )?;
    require(layer.alpha >= 0.0, name, "alpha", "at least 0")?;
    require(layer.beta.is_finite(), name, "beta", "a finite number")?;
    Ok(lrn::Geometry::new(layer, input))
}

fn pooling(layer: &MaxPool, name: &str, input: Shape) -> Result<pool::Geometry, ModelError> {
    let &MaxPool {
        size,
        stride,
        partial_windows,
    } = layer;
    require((1..=pool::LARGEST).contains(&size), name, "size", "between 1 and 16")?;
    require((1..=WINDOW).contains(&stride), name, "stride", "between 1 and 1024")?;
    let fits = !partial_windows || stride <= size;
    require(
        fits,
        name,
        "stride",
        "at most size if partial_windows is on, or a window could be empty",
    )?;
    pool::Geometry::new(layer, input).ok_or(ModelError::Window {
        layer: name.to_owned(),
        size,
        padding: 0,
        input,
    })
}
