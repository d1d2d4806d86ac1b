//! What a device can do: it holds a share of the network, or a share of each batch, and trains and evaluates.

use std::sync::Arc;

use super::{Lap, Memory, Parameter};
use crate::devices::PeerLost;
use crate::flow::{Fault, Stopwatch};
use crate::ops::sgd::Rate;
use crate::ops::softmax::Loss;

/// A device that computes its part of a network.
///
/// A step is [`copy_rows`](Self::copy_rows), then [`train`](Self::train) or [`evaluate`](Self::evaluate). All devices
/// of a run get the same calls in the same order. They are connected, and wait for each other inside these calls. After
/// an error a device is unusable.
pub trait Device: Send {
    /// Takes its share of all parameters, which are those of the network in their order. Without momentum, there is
    /// none yet.
    fn load(&mut self, whole: &[Parameter]) -> Result<(), DeviceError>;

    /// Copies the part that it updates into all parameters, values and momentum. They are complete when all devices
    /// have done so.
    fn store(&mut self, whole: &mut [Parameter]) -> Result<(), DeviceError>;

    /// Copies its rows of a batch into its own memory. `rows` are the bytes of the batch's first `in_use` rows, as the
    /// row writer has written them. They are not needed any more when this returns.
    fn copy_rows(&mut self, rows: &[u8], in_use: usize) -> Result<(), DeviceError>;

    /// Step number `step` (from 0) on the rows that were copied, with one rate per parameter.
    ///
    /// Returns the loss of the rows that this device reports: its own rows, or, if each device computes all rows, all
    /// on the first device and none on the others.
    fn train(&mut self, step: u64, targets: &Targets, rates: &[Rate]) -> Result<Loss, DeviceError>;

    /// The softmax outputs of the rows that were copied, as far as this device reports them: `[rows][classes]`.
    fn evaluate(&mut self) -> Result<&[f32], DeviceError>;

    /// Time that it has waited for the other devices; `None` if there are no others.
    fn waits(&self) -> Option<Arc<Stopwatch>>;

    /// From now on it measures how long each piece of its work takes.
    fn time_passes(&mut self);

    /// The laps since the last call, in the order of the work. Equal pieces are one lap.
    fn take_laps(&mut self) -> Vec<Lap>;

    /// Memory that is really allocated.
    fn memory(&self) -> Memory;

    /// What it holds after its latest pass: for tests, and for whoever looks for a fault.
    fn inspect(&mut self) -> Result<Inside, DeviceError>;
}

/// What a device holds, copied to the host.
#[derive(Clone, Debug, PartialEq)]
pub struct Inside {
    /// The scores before the softmax of the latest pass: `[rows][classes]`.
    pub logits: Vec<f32>,
    /// Its share of the values of each parameter.
    pub values: Vec<Vec<f32>>,
    /// The gradients of these values in the latest step, from its own rows.
    pub gradients: Vec<Vec<f32>>,
}

/// Why a device cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// Another device is gone.
    #[error(transparent)]
    PeerLost(#[from] PeerLost),
}

impl From<DeviceError> for Fault {
    fn from(error: DeviceError) -> Self {
        match error {
            DeviceError::PeerLost(lost) => lost.into(),
        }
    }
}

/// Labels and weights of a batch's rows.
#[derive(Clone, Debug)]
pub struct Targets {
    pub(super) labels: Vec<u32>,
    /// 0 for refused samples and padding.
    pub(super) weights: Vec<f32>,
    /// Rows of weight 1.
    pub(super) present: u32,
}

impl Targets {
    /// Of the rows of a whole batch, in order: their labels, and whether they are present.
    pub fn new(rows: impl Iterator<Item = (u32, bool)>) -> Self {
        let weight = |is_present: bool| if is_present { 1.0 } else { 0.0 };
        let (labels, weights): (Vec<u32>, Vec<f32>) =
            rows.map(|(label, is_present)| (label, weight(is_present))).unzip();
        let present = weights.iter().filter(|weight| **weight != 0.0).count() as u32;
        Self {
            labels,
            weights,
            present,
        }
    }
}
