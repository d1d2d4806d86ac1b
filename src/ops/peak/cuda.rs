//! A GPU's peak (`kernels/peak.cu`).

use crate::devices::cuda::{Address, Arguments, CudaError, Kernels, Launch};

/// Blocks of a launch: eight for each of an H100's multiprocessors.
pub const BLOCKS: usize = 8 * 132;

/// Operations of a launch in each round.
pub const OPERATIONS: usize = BLOCKS * 256 * 128 * 2;

/// `rounds` rounds. `out` has a float for each block.
pub fn launch(kernels: &mut Kernels, out: Address, rounds: usize) -> Result<Launch, CudaError> {
    // Every chain goes to y / (1 − x) = 1.
    let arguments = Arguments::default()
        .array(out)
        .value(rounds as i32)
        .value(0.5f32)
        .value(0.5f32);
    Ok(Launch::new(
        kernels.get("peak_multiply_adds")?,
        [BLOCKS, 1, 1],
        [256, 1, 1],
        arguments,
    ))
}
