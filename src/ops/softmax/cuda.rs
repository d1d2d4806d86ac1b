//! Softmax and cross-entropy on a GPU (`kernels/softmax.cu`).

use bytemuck::{Pod, Zeroable};

use super::Loss;
use crate::devices::cuda::{Address, Arguments, CudaError, Kernels, Launch};
use crate::ops::lanes::lanes;

/// As `kernels/softmax.cu` reads it.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
struct Softmax {
    rows: i32,
    classes: i32,
    padded: i32,
}

/// The loss of a row, or of all rows, as `kernels/softmax.cu` writes it.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct LossRecord {
    sum: f64,
    present: u32,
    correct: u32,
}

impl From<LossRecord> for Loss {
    fn from(record: LossRecord) -> Self {
        let LossRecord { sum, present, correct } = record;
        Self { sum, present, correct }
    }
}

/// Softmax of batches of a fixed size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// Images of a batch.
    pub rows: usize,
    /// Classes.
    pub classes: usize,
}

/// What a step's loss is made of.
#[derive(Clone, Copy, Debug)]
pub struct Arrays {
    /// The scores.
    pub z: Address,
    /// Their gradient.
    pub dz: Address,
    /// A record for each row.
    pub losses: Address,
    /// The record of all rows.
    pub loss: Address,
    /// The rows' labels.
    pub labels: Address,
    /// The rows' weights.
    pub weights: Address,
    /// The step's block: how many rows are present.
    pub step: Address,
}

impl Kernel {
    /// p from z.
    pub fn forward(&self, kernels: &mut Kernels, z: Address, p: Address) -> Result<Launch, CudaError> {
        let arguments = Arguments::default().array(p).array(z).value(self.values());
        Ok(Launch::new(
            kernels.get("softmax_forward")?,
            [self.rows, 1, 1],
            [256, 1, 1],
            arguments,
        ))
    }

    /// dz and the loss from z.
    pub fn backward(&self, kernels: &mut Kernels, arrays: Arrays) -> Result<[Launch; 2], CudaError> {
        let Arrays {
            z,
            dz,
            losses,
            loss,
            labels,
            weights,
            step,
        } = arrays;
        let arguments = Arguments::default().array(dz).array(losses).array(z).array(labels);
        let arguments = arguments.array(weights).array(step).value(self.values());
        let rows = Launch::new(
            kernels.get("softmax_backward")?,
            [self.rows, 1, 1],
            [256, 1, 1],
            arguments,
        );
        let arguments = Arguments::default().array(loss).array(losses).value(self.values());
        let all = Launch::new(kernels.get("softmax_loss")?, [1, 1, 1], [256, 1, 1], arguments);
        Ok([rows, all])
    }

    fn values(&self) -> Softmax {
        Softmax {
            rows: self.rows as i32,
            classes: self.classes as i32,
            padded: lanes(self.classes) as i32,
        }
    }
}
