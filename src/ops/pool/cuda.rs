//! Max pooling on a GPU (`kernels/pool.cu`).

use bytemuck::{Pod, Zeroable};

use super::Geometry;
use crate::devices::cuda::{Address, Arguments, CudaError, Kernels, Launch};
use crate::ops::lanes::Laid;

/// As `kernels/pool.cu` reads it.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
struct Pooling {
    height: i32,
    width: i32,
    output_height: i32,
    output_width: i32,
    chunks: i32,
    size: i32,
    stride: i32,
}

/// A pooling of batches of a fixed size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel {
    geometry: Geometry,
    images: usize,
}

impl Kernel {
    /// The pooling of `images` images.
    pub fn new(geometry: Geometry, images: usize) -> Self {
        Self { geometry, images }
    }

    /// Bytes of the argmax.
    pub fn argmax(&self) -> usize {
        self.images * Laid::new(self.geometry.output).floats()
    }

    /// y and the argmax of each window from x.
    pub fn forward(&self, kernels: &mut Kernels, x: Address, y: Address, argmax: Address) -> Result<Launch, CudaError> {
        let kernel = kernels.get(if self.is_usual() {
            "pool_forward_3_2"
        } else {
            "pool_forward"
        })?;
        let arguments = Arguments::default()
            .array(y)
            .array(argmax)
            .array(x)
            .value(self.values());
        Ok(Launch::new(
            kernel,
            self.grid(Laid::new(self.geometry.output)),
            [256, 1, 1],
            arguments,
        ))
    }

    /// dx from dy and the argmax.
    pub fn backward(
        &self,
        kernels: &mut Kernels,
        dy: Address,
        argmax: Address,
        dx: Address,
    ) -> Result<Launch, CudaError> {
        let kernel = kernels.get(if self.is_usual() {
            "pool_backward_3_2"
        } else {
            "pool_backward"
        })?;
        let arguments = Arguments::default()
            .array(dx)
            .array(dy)
            .array(argmax)
            .value(self.values());
        Ok(Launch::new(
            kernel,
            self.grid(Laid::new(self.geometry.input)),
            [256, 1, 1],
            arguments,
        ))
    }

    /// Whether there is a kernel for this very window.
    fn is_usual(&self) -> bool {
        (self.geometry.size, self.geometry.stride) == (3, 2)
    }

    fn grid(&self, of: Laid) -> [usize; 3] {
        [(of.width * of.chunks()).div_ceil(256), of.height, self.images]
    }

    fn values(&self) -> Pooling {
        let (x, y) = (Laid::new(self.geometry.input), Laid::new(self.geometry.output));
        Pooling {
            height: x.height as i32,
            width: x.width as i32,
            output_height: y.height as i32,
            output_width: y.width as i32,
            chunks: x.chunks() as i32,
            size: self.geometry.size as i32,
            stride: self.geometry.stride as i32,
        }
    }
}
