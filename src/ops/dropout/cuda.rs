//! Dropout on a GPU (`kernels/dropout.cu`), in place. It draws the same masks as on the CPU.

use bytemuck::{Pod, Zeroable};

use super::threshold;
use crate::devices::cuda::{Address, Arguments, CudaError, Kernels, Launch};
use crate::ops::Shape;
use crate::ops::lanes::Laid;

/// As `kernels/dropout.cu` reads it.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
struct Dropout {
    plane: i32,
    chunks: i32,
    first: i32,
    units: i32,
    first_row: i32,
    seed_low: u32,
    seed_high: u32,
    layer: u32,
    threshold: u64,
}

/// Dropout of batches of a fixed size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kernel {
    /// Of an image.
    pub shape: Shape,
    /// Images of a batch.
    pub images: usize,
    /// The probability of zero.
    pub p: f32,
    /// How many dropout layers come before.
    pub number: u32,
    /// The run's seed.
    pub seed: u64,
}

impl Kernel {
    /// Sets the dropped units of x to zero: of the outputs forward, of their gradients backward. The step's number is
    /// where `step` is.
    pub fn train(&self, kernels: &mut Kernels, x: Address, step: Address) -> Result<Launch, CudaError> {
        let map = Laid::new(self.shape);
        let values = Dropout {
            plane: map.places() as i32,
            chunks: map.chunks() as i32,
            first: 0,
            units: self.shape.len() as i32,
            first_row: 0,
            seed_low: self.seed as u32,
            seed_high: (self.seed >> 32) as u32,
            layer: self.number,
            threshold: threshold(self.p),
        };
        let arguments = Arguments::default().array(x).array(step).value(values);
        let grid = [(map.places() * map.chunks()).div_ceil(256), self.images, 1];
        Ok(Launch::new(kernels.get("dropout_train")?, grid, [256, 1, 1], arguments))
    }

    /// x · (1 − p).
    pub fn evaluate(&self, kernels: &mut Kernels, x: Address) -> Result<Launch, CudaError> {
        let map = Laid::new(self.shape);
        let chunks = self.images * map.places() * map.chunks();
        let arguments = Arguments::default().array(x).value(1.0 - self.p).value(chunks as u32);
        Ok(Launch::new(
            kernels.get("dropout_evaluate")?,
            [chunks.div_ceil(256), 1, 1],
            [256, 1, 1],
            arguments,
        ))
    }
}
