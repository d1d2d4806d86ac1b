//! Networks for small images. Weights start from He et al.'s distribution (2015), which wants inputs of about unit
//! variance: `[augment] std` has a default.

use super::build::{conv, dropout, fc, lrn, pool};
use crate::config::model::{Convolution, Init, Layer};

const INIT: Init = Init::He;

/// `alexnet-medium`: `AlexNet`'s plan (groups, normalization, overlapping pooling, two dropped-out hidden layers) at
/// about a third of its width, for images of 48 to 96 pixels. Our own.
pub(super) fn medium() -> Vec<Layer> {
    let grouped = |name, channels, kernel, padding| Convolution {
        groups: 2,
        ..conv(name, channels, kernel, padding, INIT)
    };
    vec![
        Layer::Convolution(Convolution {
            stride: 2,
            ..conv("conv1", 64, 7, 3, INIT)
        }),
        Layer::Relu,
        lrn(),
        pool(true),
        Layer::Convolution(grouped("conv2", 128, 5, 2)),
        Layer::Relu,
        lrn(),
        pool(true),
        Layer::Convolution(conv("conv3", 192, 3, 1, INIT)),
        Layer::Relu,
        Layer::Convolution(grouped("conv4", 192, 3, 1)),
        Layer::Relu,
        Layer::Convolution(grouped("conv5", 128, 3, 1)),
        Layer::Relu,
        pool(true),
        fc("fc6", 1024, INIT, 0.0),
        Layer::Relu,
        dropout(),
        fc("fc7", 1024, INIT, 0.0),
        Layer::Relu,
        dropout(),
        fc("fc8", None, INIT, 0.0),
    ]
}

/// `alexnet-small`: three convolutions with overlapping pooling and one dropped-out hidden layer, for images of 28 to
/// 40 pixels. About 9 million multiply-adds per image at 28 × 28, so that a minute or two on two cores is enough to
/// learn Fashion-MNIST. Our own.
pub(super) fn small() -> Vec<Layer> {
    vec![
        Layer::Convolution(conv("conv1", 32, 5, 2, INIT)),
        Layer::Relu,
        pool(true),
        Layer::Convolution(conv("conv2", 64, 3, 1, INIT)),
        Layer::Relu,
        pool(true),
        Layer::Convolution(conv("conv3", 128, 3, 1, INIT)),
        Layer::Relu,
        pool(true),
        fc("fc4", 256, INIT, 0.0),
        Layer::Relu,
        dropout(),
        fc("fc5", None, INIT, 0.0),
    ]
}

/// `cifar10-quick` and `cifar10-quick-tanh`: a network of four layers like that of the paper's figure 1, which compares
/// `ReLU` with tanh on CIFAR-10. The paper does not give its sizes; the widths are those of `cuda-convnet`'s quick
/// CIFAR-10 model (32, 32 and 64 kernels of 5 × 5, one fully connected layer), with max pooling throughout.
pub(super) fn cifar10_quick(activation: &Layer) -> Vec<Layer> {
    let mut layers = Vec::new();
    for (name, channels) in [("conv1", 32), ("conv2", 32), ("conv3", 64)] {
        layers.extend([
            Layer::Convolution(conv(name, channels, 5, 2, INIT)),
            activation.clone(),
            pool(true),
        ]);
    }
    layers.push(fc("fc4", None, INIT, 0.0));
    layers
}
