//! tanh(x) on a GPU (`kernels/tanh.cu`), in place.

use crate::devices::cuda::{Address, CudaError, Kernels, Launch};
use crate::ops::lanes::each_chunk;

/// y in the place of x, of `chunks` chunks.
pub fn forward(kernels: &mut Kernels, x: Address, chunks: usize) -> Result<Launch, CudaError> {
    each_chunk(kernels, "tanh_forward", &[x], chunks)
}

/// dx in the place of dy, given y.
pub fn backward(kernels: &mut Kernels, dy: Address, y: Address, chunks: usize) -> Result<Launch, CudaError> {
    each_chunk(kernels, "tanh_backward", &[dy, y], chunks)
}
