//! `alexnet`: the network of Krizhevsky, Sutskever and Hinton 2012, both of its towers in one.
//!
//! Sections 3.1 to 3.5, 4.2 and 5 of the paper: two towers are two groups in conv2, conv4 and conv5, response
//! normalization follows the `ReLU` of conv1 and conv2, weights start from N(0, 0.01), and biases start at 1 in conv2,
//! conv4, conv5 and the hidden fully connected layers. Windows may hang over the edge, as in the 2012 code: 224 → 55.
//! 60,965,224 parameters for 1000 classes at 224 × 224.

use super::build::{conv, dropout, fc, lrn, pool};
use crate::config::model::{Convolution, Init, Layer};

const INIT: Init = Init::Gaussian(0.01);

pub(super) fn layers() -> Vec<Layer> {
    let grouped = |name, channels, kernel, padding, groups, bias| {
        Layer::Convolution(Convolution {
            groups,
            bias,
            partial_windows: true,
            ..conv(name, channels, kernel, padding, INIT)
        })
    };
    let first = Convolution {
        stride: 4,
        partial_windows: true,
        ..conv("conv1", 96, 11, 0, INIT)
    };
    vec![
        Layer::Convolution(first),
        Layer::Relu,
        lrn(),
        pool(true),
        grouped("conv2", 256, 5, 2, 2, 1.0),
        Layer::Relu,
        lrn(),
        pool(true),
        grouped("conv3", 384, 3, 1, 1, 0.0),
        Layer::Relu,
        grouped("conv4", 384, 3, 1, 2, 1.0),
        Layer::Relu,
        grouped("conv5", 256, 3, 1, 2, 1.0),
        Layer::Relu,
        pool(true),
        fc("fc6", 4096, INIT, 1.0),
        Layer::Relu,
        dropout(),
        fc("fc7", 4096, INIT, 1.0),
        Layer::Relu,
        dropout(),
        fc("fc8", None, INIT, 0.0),
    ]
}
