//! The solver's step on a GPU (`kernels/sgd.cu`): all parameters in one launch.

use bytemuck::{Pod, Zeroable};

use super::Rate;
use crate::devices::cuda::{Address, Arguments, CudaError, Kernels, Launch};
use crate::ops::lanes::LANES;

/// Chunks that a block updates.
const BLOCK: usize = 1024;

/// What is done to a parameter in a step, as `kernels/sgd.cu` reads it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Record {
    first_chunk: u64,
    chunks: u32,
    first_block: u32,
    factor: f32,
    decay: f32,
    momentum: f32,
    frozen: u32,
}

impl Record {
    /// With the rates of a step. The factor is the whole rate: the step's own is 1.
    #[must_use]
    pub fn with(self, rate: Rate) -> Self {
        Self {
            factor: rate.lr,
            decay: rate.weight_decay,
            momentum: rate.momentum,
            frozen: u32::from(rate.frozen),
            ..self
        }
    }
}

/// The records of parameters of these lengths in floats, one after the other, still without rates; and how many blocks
/// update them.
pub fn records(lengths: impl Iterator<Item = usize>) -> (Vec<Record>, usize) {
    let (mut first_chunk, mut first_block) = (0, 0);
    let records = lengths.map(|floats| {
        let chunks = floats.div_ceil(LANES);
        let record = Record {
            first_chunk: first_chunk as u64,
            chunks: chunks as u32,
            first_block: first_block as u32,
            ..Record::default()
        };
        first_chunk += chunks;
        first_block += chunks.div_ceil(BLOCK);
        record
    });
    let records = records.collect();
    (records, first_block)
}

/// The arrays of a step.
#[derive(Clone, Copy, Debug)]
pub struct Arrays {
    /// All parameters.
    pub w: Address,
    /// Their momentum.
    pub v: Address,
    /// Their gradients.
    pub g: Address,
    /// Their records.
    pub records: Address,
    /// The step's block.
    pub step: Address,
}

/// Updates `count` parameters with `blocks` blocks.
pub fn update(kernels: &mut Kernels, count: usize, blocks: usize, arrays: Arrays) -> Result<Launch, CudaError> {
    let Arrays { w, v, g, records, step } = arrays;
    let arguments = Arguments::default()
        .array(w)
        .array(v)
        .array(g)
        .array(records)
        .array(step);
    let arguments = arguments.value(count as i32);
    Ok(Launch::new(
        kernels.get("sgd_update")?,
        [blocks, 1, 1],
        [256, 1, 1],
        arguments,
    ))
}
