//! Normalization on a GPU (`kernels/lrn.cu`).

use bytemuck::{Pod, Zeroable};

use super::Geometry;
use crate::devices::cuda::{Address, Arguments, CudaError, Kernels, Launch};
use crate::ops::lanes::{LANES, Laid};

/// As `kernels/lrn.cu` reads it.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
struct Normalisation {
    positions: i32,
    half_window: i32,
    alpha: f32,
    beta: f32,
    k: f32,
}

/// The most shared memory of a block, in bytes, that every GPU has without being asked.
const SHARED: usize = 48 << 10;

/// A normalization of batches of a fixed size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kernel {
    geometry: Geometry,
    images: usize,
}

impl Kernel {
    /// The normalization of `images` images.
    pub fn new(geometry: Geometry, images: usize) -> Self {
        // Beyond the channels there is nothing to add.
        let half_window = geometry.half_window.min(geometry.shape.channels - 1);
        Self {
            geometry: Geometry {
                half_window,
                ..geometry
            },
            images,
        }
    }

    /// Whether a block can have all chunks of a place.
    pub fn fits(&self) -> bool {
        let chunks = self.map().chunks();
        chunks <= 1024 && self.shared() * 2 <= SHARED && i32::try_from(self.positions()).is_ok()
    }

    /// b from a.
    pub fn forward(&self, kernels: &mut Kernels, a: Address, b: Address) -> Result<Launch, CudaError> {
        let kernel = kernels.get(if self.is_usual() {
            "lrn_forward_5"
        } else {
            "lrn_forward"
        })?;
        let arguments = Arguments::default().array(b).array(a).value(self.values());
        Ok(Launch::new(kernel, self.grid(), self.block(), arguments).shared(self.shared()))
    }

    /// da from a and db.
    pub fn backward(&self, kernels: &mut Kernels, a: Address, db: Address, da: Address) -> Result<Launch, CudaError> {
        let kernel = kernels.get(if self.is_usual() {
            "lrn_backward_5"
        } else {
            "lrn_backward"
        })?;
        let arguments = Arguments::default().array(da).array(a).array(db).value(self.values());
        Ok(Launch::new(kernel, self.grid(), self.block(), arguments).shared(2 * self.shared()))
    }

    /// Whether there is a kernel for this very window.
    fn is_usual(&self) -> bool {
        self.geometry.half_window == 2
    }

    fn map(&self) -> Laid {
        Laid::new(self.geometry.shape)
    }

    fn positions(&self) -> usize {
        self.images * self.map().places()
    }

    /// Positions of a block: as many as keep 256 threads busy, and fit into its shared memory.
    fn together(&self) -> usize {
        let threads = 256 / self.map().chunks();
        let shared = SHARED / (2 * self.of_position());
        threads.min(shared).max(1)
    }

    /// Bytes of shared memory of a position in the forward pass.
    fn of_position(&self) -> usize {
        let margin = self.geometry.half_window.div_ceil(LANES);
        16 * (self.map().chunks() + 2 * margin)
    }

    fn grid(&self) -> [usize; 3] {
        [self.positions().div_ceil(self.together()), 1, 1]
    }

    fn block(&self) -> [usize; 3] {
        [self.map().chunks(), self.together(), 1]
    }

    /// Bytes of shared memory of the forward pass.
    fn shared(&self) -> usize {
        self.together() * self.of_position()
    }

    fn values(&self) -> Normalisation {
        let Geometry {
            half_window,
            alpha,
            beta,
            k,
            ..
        } = self.geometry;
        Normalisation {
            positions: self.positions() as i32,
            half_window: half_window as i32,
            alpha,
            beta,
            k,
        }
    }
}
