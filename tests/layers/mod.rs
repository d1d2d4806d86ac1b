//! Layers for test networks.

use pipeline::config::model::{Convolution, FullyConnected, Init, Layer, Lrn, MaxPool};

/// A convolution with a kernel of 3 and padding.
pub fn conv(name: &str, channels: usize) -> Convolution {
    Convolution {
        name: name.to_owned(),
        channels,
        kernel: 3,
        stride: 1,
        padding: 1,
        groups: 1,
        partial_windows: false,
        init: Init::He,
        bias: 0.1,
    }
}

/// A fully connected layer.
pub fn fc(name: &str, outputs: Option<usize>) -> Layer {
    Layer::FullyConnected(FullyConnected {
        name: name.to_owned(),
        outputs,
        init: Init::He,
        bias: 0.1,
    })
}

/// Normalization over `size` channels that is strong enough to matter.
pub fn lrn(size: usize) -> Layer {
    Layer::Lrn(Lrn {
        size,
        alpha: 0.3,
        beta: 0.75,
        k: 1.5,
        divide_by_size: false,
    })
}

/// Max pooling as in the paper: windows of 3 with a stride of 2.
pub fn max_pool() -> Layer {
    Layer::MaxPool(MaxPool {
        size: 3,
        stride: 2,
        partial_windows: true,
    })
}
