//! What a device can do: it holds a share of the network, or a share of each batch, and trains and evaluates.

use std::sync::Arc;

use super::{Lap, Memory, Parameter};
use crate::devices::PeerLost;
use crate::devices::cuda::CudaError;
use crate::flow::{Fault, Slot, Stopwatch};
use crate::ops::sgd::Rate;
use crate::ops::softmax::Loss;

/// A device that computes its part of a network.
///
/// A step is [`copy_rows`](Self::copy_rows), then [`train`](Self::train) or [`evaluate`](Self::evaluate). Each begins
/// something that may go on after the call: [`Running`] waits for its end. A step may begin before the one before it has
/// ended. All devices of a run get the same calls in the same order. They are connected, and wait for each other inside
/// these calls. After an error a device is unusable.
pub trait Device: Send {
    /// Takes its share of all parameters, which are those of the network in their order. Without momentum, there is
    /// none yet.
    fn load(&mut self, whole: &[Parameter]) -> Result<(), DeviceError>;

    /// Copies the part that it updates into all parameters, values and momentum. They are complete when all devices
    /// have done so.
    fn store(&mut self, whole: &mut [Parameter]) -> Result<(), DeviceError>;

    /// Takes the mean image, if rows refer to one: planes R, G and B.
    fn take_mean(&mut self, planes: &[f32]) -> Result<(), DeviceError>;

    /// Prepares a slot, so that its rows can be copied while other work goes on. One that is not prepared is copied too.
    fn pin(&mut self, slot: &mut Slot) -> Result<(), DeviceError>;

    /// Copies its rows of a batch into its own memory, of the slot's first `in_use` rows, as the row writer has written
    /// them. At its end the slot is not needed any more.
    fn copy_rows(&mut self, slot: &Arc<Slot>, in_use: usize) -> Result<Running<()>, DeviceError>;

    /// Step number `step` (from 0) on the rows that were copied, with one rate per parameter.
    ///
    /// Comes to the loss of the rows that this device reports: its own rows, or, if each device computes all rows, all
    /// on the first device and none on the others.
    fn train(&mut self, step: u64, targets: &Targets, rates: &[Rate]) -> Result<Running<Loss>, DeviceError>;

    /// The softmax outputs of the rows that were copied, as far as this device reports them: `[rows][classes]`.
    fn evaluate(&mut self) -> Result<Running<Vec<f32>>, DeviceError>;

    /// Whether it works while no call is in progress, so that a thread of its own is to wait for what it has begun.
    fn is_asynchronous(&self) -> bool;

    /// Time that it has waited for the other devices; `None` if there are no others.
    fn waits(&self) -> Option<Arc<Stopwatch>>;

    /// From now on it measures how long each piece of its work takes.
    fn time_passes(&mut self);

    /// The laps since the last call, in the order of the work. Equal pieces are one lap.
    fn take_laps(&mut self) -> Result<Vec<Lap>, DeviceError>;

    /// Memory that is really allocated.
    fn memory(&self) -> Memory;

    /// The most that it can do, measured in a short burst of nothing else.
    fn peak(&mut self) -> Result<Peak, DeviceError>;

    /// What it holds after its latest pass: for tests, and for whoever looks for a fault.
    fn inspect(&mut self) -> Result<Inside, DeviceError>;
}

/// What a device has begun. If it is dropped, it ends as well.
#[must_use = "it may fail"]
pub struct Running<T>(State<T>);

enum State<T> {
    Done(T),
    Later(Box<dyn FnOnce() -> Result<T, DeviceError> + Send>),
}

impl<T> Running<T> {
    /// It has ended already.
    pub fn done(value: T) -> Self {
        Self(State::Done(value))
    }

    /// It ends when `wait` returns.
    pub fn later(wait: impl FnOnce() -> Result<T, DeviceError> + Send + 'static) -> Self {
        Self(State::Later(Box::new(wait)))
    }

    /// Whether it has ended already.
    pub fn is_done(&self) -> bool {
        matches!(self.0, State::Done(_))
    }

    /// Waits for its end.
    pub fn wait(self) -> Result<T, DeviceError> {
        match self.0 {
            State::Done(value) => Ok(value),
            State::Later(wait) => wait(),
        }
    }
}

/// The most that a device can do.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Peak {
    /// Floating-point operations per second in registers alone. A multiply-add counts as two.
    pub flops: f64,
    /// Bytes per second that a copy within its memory reads and writes, if that was measured. What is copied are maps of the
    /// network: if they are small, they stay in a cache, and this is its rate.
    pub bytes: Option<f64>,
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
    /// A GPU, or its driver, has failed.
    #[error(transparent)]
    Cuda(#[from] CudaError),
}

impl From<DeviceError> for Fault {
    fn from(error: DeviceError) -> Self {
        match error {
            DeviceError::PeerLost(lost) => lost.into(),
            DeviceError::Cuda(error) => Self::failed(error),
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
