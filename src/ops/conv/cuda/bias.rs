//! Bias gradients on a GPU (`kernels/bias.cu`): sums over rows, in one or two ordered passes.

use bytemuck::{Pod, Zeroable};

use crate::devices::cuda::{Address, Arguments, CudaError, Kernels, Launch};
use crate::ops::lanes::LANES;

/// As `kernels/bias.cu` reads it.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
struct Bias {
    rows: i32,
    lanes: i32,
    strip: i32,
}

/// The sum over `rows` rows of `lanes` floats each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BiasKernel {
    /// Rows: places of all images.
    pub rows: usize,
    /// Floats of a row.
    pub lanes: usize,
}

/// The most strips, and the fewest rows of one. The strips decide the order of the sums, so only the shape decides them.
const MOST_STRIPS: usize = 512;
const LEAST_STRIP: usize = 64;

impl BiasKernel {
    /// Floats of the workspace.
    pub fn workspace(&self) -> usize {
        if self.strips() == 1 {
            0
        } else {
            self.strips() * self.lanes
        }
    }

    /// db from dy.
    pub fn launches(
        &self,
        kernels: &mut Kernels,
        dy: Address,
        db: Address,
        workspace: Address,
    ) -> Result<Vec<Launch>, CudaError> {
        let strips = self.strips();
        let mut sum = |out, from, rows: usize, strip: usize| {
            let values = Bias {
                rows: rows as i32,
                lanes: self.lanes as i32,
                strip: strip as i32,
            };
            let arguments = Arguments::default().array(out).array(from).value(values);
            let grid = [(self.lanes / LANES).div_ceil(32), rows.div_ceil(strip), 1];
            kernels
                .get("bias_sum")
                .map(|kernel| Launch::new(kernel, grid, [32, 8, 1], arguments))
        };
        if strips == 1 {
            return Ok(vec![sum(db, dy, self.rows, self.rows.max(1))?]);
        }
        Ok(vec![
            sum(workspace, dy, self.rows, self.strip())?,
            sum(db, workspace, strips, strips)?,
        ])
    }

    fn strip(&self) -> usize {
        self.rows.div_ceil(MOST_STRIPS).max(LEAST_STRIP)
    }

    fn strips(&self) -> usize {
        self.rows.div_ceil(self.strip()).max(1)
    }
}
