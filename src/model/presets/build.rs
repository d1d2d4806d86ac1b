//! Short words for the layers that presets are made of.

use crate::config::model::{Convolution, Dropout, FullyConnected, Init, Layer, Lrn, MaxPool};

/// A convolution with stride 1 and one group, whole windows only.
pub(super) fn conv(name: &str, channels: usize, kernel: usize, padding: usize, init: Init) -> Convolution {
    Convolution {
        name: name.to_owned(),
        channels,
        kernel,
        stride: 1,
        padding,
        groups: 1,
        partial_windows: false,
        init,
        bias: 0.0,
    }
}

/// A fully connected layer; `None` outputs are one per class.
pub(super) fn fc(name: &str, outputs: impl Into<Option<usize>>, init: Init, bias: f32) -> Layer {
    Layer::FullyConnected(FullyConnected {
        name: name.to_owned(),
        outputs: outputs.into(),
        init,
        bias,
    })
}

/// Overlapping pooling: z = 3, s = 2 (paper, section 3.4).
pub(super) fn pool(partial_windows: bool) -> Layer {
    Layer::MaxPool(MaxPool {
        size: 3,
        stride: 2,
        partial_windows,
    })
}

/// Response normalization with the paper's constants (section 3.3).
pub(super) fn lrn() -> Layer {
    Layer::Lrn(Lrn {
        size: 5,
        alpha: 1e-4,
        beta: 0.75,
        k: 2.0,
        divide_by_size: false,
    })
}

/// Dropout with the paper's p (section 4.2).
pub(super) fn dropout() -> Layer {
    Layer::Dropout(Dropout { p: 0.5 })
}
