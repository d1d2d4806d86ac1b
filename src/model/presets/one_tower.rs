//! `alexnet-one-tower`: the single tower of Krizhevsky's "One weird trick for parallelizing convolutional neural
//! networks" (2014), in the shape that torchvision calls `alexnet`.
//!
//! No groups and no response normalization; padding of 2 in conv1; whole windows only; dropout before fc6 and fc7.
//! 61,100,840 parameters for 1000 classes at 224 × 224. Weights start from He et al.'s distribution, which wants inputs
//! of about unit variance: `[augment] std` has a default.

use super::build::{conv, dropout, fc, pool};
use crate::config::model::{Convolution, Init, Layer};

const INIT: Init = Init::He;

pub(super) fn layers() -> Vec<Layer> {
    vec![
        Layer::Convolution(Convolution {
            stride: 4,
            ..conv("conv1", 64, 11, 2, INIT)
        }),
        Layer::Relu,
        pool(false),
        Layer::Convolution(conv("conv2", 192, 5, 2, INIT)),
        Layer::Relu,
        pool(false),
        Layer::Convolution(conv("conv3", 384, 3, 1, INIT)),
        Layer::Relu,
        Layer::Convolution(conv("conv4", 256, 3, 1, INIT)),
        Layer::Relu,
        Layer::Convolution(conv("conv5", 256, 3, 1, INIT)),
        Layer::Relu,
        pool(false),
        dropout(),
        fc("fc6", 4096, INIT, 0.0),
        Layer::Relu,
        dropout(),
        fc("fc7", 4096, INIT, 0.0),
        Layer::Relu,
        fc("fc8", None, INIT, 0.0),
    ]
}
