//! What can be wrong with a network, and what to do about it.

use crate::devices::cuda::CudaError;
use crate::memory::{Bytes, NoMemory};
use crate::ops::Shape;

/// A network that cannot be built.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ModelError {
    /// No layers at all.
    #[error("the model has no layers: choose a preset, or list layers and end with one of type \"fc\"")]
    Empty,
    /// A batch, an input or a number of classes of zero.
    #[error("{what} must be at least 1")]
    Zero {
        /// Which number.
        what: &'static str,
    },
    /// The system refused to start the compute threads.
    #[error("{count} compute threads cannot be started: {reason}; lower compute.threads")]
    Threads {
        /// How many.
        count: usize,
        /// The system's reason.
        reason: String,
    },
    /// A layer with parameters that has no name.
    #[error(
        "layer {index} ({kind}) has no name: give it one, such as \"conv1\", because its parameters are named after it"
    )]
    Unnamed {
        /// Position in the list, from 0.
        index: usize,
        /// What sort of layer.
        kind: &'static str,
    },
    /// Two layers with parameters have the same name.
    #[error("two layers are named \"{name}\": give each layer its own name, because its parameters are named after it")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// Channels that the groups do not divide.
    #[error(
        "{layer}: {groups} groups do not divide {inputs} input and {outputs} output channels: the number of groups must divide both"
    )]
    Groups {
        /// The layer.
        layer: String,
        /// Groups.
        groups: usize,
        /// Channels that come in.
        inputs: usize,
        /// Channels that go out.
        outputs: usize,
    },
    /// A window that is larger than its input.
    #[error(
        "{layer}: a window of {size}×{size} does not fit an input of {input} with a padding of {padding}: \
         use larger crops (augment.crop), a smaller window or fewer pooling layers"
    )]
    Window {
        /// The layer.
        layer: String,
        /// Side of the window.
        size: usize,
        /// Zeros around the input.
        padding: usize,
        /// The input.
        input: Shape,
    },
    /// A number of a layer that is out of range.
    #[error("{layer}: {key} must be {must}")]
    Value {
        /// The layer.
        layer: String,
        /// The key.
        key: &'static str,
        /// What it must be.
        must: &'static str,
    },
    /// A layer that is too large.
    #[error("{layer}: too many {what}, the limit is {most}: lower augment.crop, channels or outputs, or pool more")]
    TooLarge {
        /// The layer.
        layer: String,
        /// What is counted.
        what: &'static str,
        /// How many there may be.
        most: u64,
    },
    /// The system did not provide the memory.
    #[error(transparent)]
    NoMemory(#[from] NoMemory),
    /// A GPU that cannot be used.
    #[error("cuda:{number} cannot be used: {why}; use another device with --set compute.devices='[\"cpu:0\"]'")]
    NoGpu {
        /// Its number.
        number: usize,
        /// Why.
        why: String,
    },
    /// A GPU with less memory than is needed.
    #[error(
        "cuda:{number} {how} {there} of {}, but the network and its batches need {needed}: lower staging.batch, or use \
         compute.devices = [\"cpu:0\"]",
        if *.how == "has" { "memory" } else { "free memory" }
    )]
    GpuMemory {
        /// The GPU's number.
        number: usize,
        /// What is needed.
        needed: Bytes,
        /// What is there.
        there: Bytes,
        /// `has`, or `has only`: what is free at the moment.
        how: &'static str,
    },
    /// A GPU, or its driver, has failed.
    #[error(transparent)]
    Cuda(#[from] CudaError),
    /// Something that is computed on CPUs only.
    #[error("{layer} cannot be computed on a GPU: {why}; use compute.devices = [\"cpu:0\"]")]
    NotOnGpu {
        /// The layer.
        layer: String,
        /// Why.
        why: String,
    },
    /// A network that does not end in one output per class.
    #[error(
        "the last layer ({layer}) must be of type \"fc\" with one output for each of the {classes} classes: \
         leave out `outputs`, and it follows the data set"
    )]
    Last {
        /// The last layer.
        layer: String,
        /// Classes of the dataset.
        classes: usize,
    },
    /// Groups that several devices cannot share.
    #[error(
        "{layer}: {devices} devices cannot share {groups} groups: with compute.parallel = \"columns\", the number of groups must \
         be 1 or a multiple of the number of devices"
    )]
    GroupsOfDevices {
        /// The layer.
        layer: String,
        /// Its groups.
        groups: usize,
        /// How many devices.
        devices: usize,
    },
    /// Fewer outputs than devices.
    #[error("{layer}: {devices} devices cannot share {outputs} outputs: use fewer devices")]
    OutputsOfDevices {
        /// The layer.
        layer: String,
        /// Its outputs.
        outputs: usize,
        /// How many devices.
        devices: usize,
    },
    /// Columns so narrow that normalisation reaches beyond the neighbours.
    #[error(
        "{layer}: on {devices} devices a column has {channels} channels, but the gradient of a channel needs {halo} on each \
         side: use fewer devices or a smaller size"
    )]
    Narrow {
        /// The layer.
        layer: String,
        /// Channels of the narrowest column.
        channels: usize,
        /// How many devices.
        devices: usize,
        /// Channels that are needed from a neighbour.
        halo: usize,
    },
}

impl ModelError {
    /// The table or key of the configuration that it is about.
    pub fn key(&self) -> &'static str {
        match self {
            Self::NoGpu { .. } | Self::GpuMemory { .. } | Self::Cuda(_) | Self::NotOnGpu { .. } => "compute.devices",
            _ => "model",
        }
    }

    /// The error of threads of which `count` cannot be started.
    pub(super) fn threads<E: std::fmt::Display>(count: usize) -> impl FnOnce(E) -> Self {
        move |error| Self::Threads {
            count,
            reason: error.to_string(),
        }
    }
}
