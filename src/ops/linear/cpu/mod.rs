//! Fully connected layer on the CPU. It uses the tiles of direct convolution (`ops/tile.rs`):
//!
//! * forward: a panel is sixteen images, a tile is some outputs, the sum goes over the inputs. w is read in place, once;
//! * data gradient: a panel is sixteen inputs of w, a tile is some images, the sum goes over the outputs;
//! * weight gradient: a panel is sixteen inputs of x, a tile is some outputs, the sum goes over the images of each half.
//!
//! How a row is summed does not depend on the other rows, so a device with half of the batch gets the same bits.

mod data;
mod forward;
mod strip;
mod weights;

pub use forward::Forward;
pub use weights::WeightGradient;

use std::ops::Range;

use super::Geometry;
use crate::ops::tile::{PANEL, Start, TOGETHER};
use strip::Strip;

/// The most outputs per task, a multiple of a tile's six and eight: x, which comes from the shared cache, is read once for all
/// of them.
const BLOCK: usize = 96;

/// Terms per sum: two panels of them stay in the first-level cache.
const DEPTH: usize = 256;

/// For the data gradient: the number of outputs whose weights are copied together, and the most panels of inputs that are
/// processed together. Two strips of w and the sums of 128 images (131 KB each) stay in the second-level cache.
const ROWS: usize = 128;
const COLUMNS: usize = 16;

/// The least number of tasks that a layer should have, so that threads can share them evenly.
const TASKS: usize = 16;

/// Rows from one panel of a strip to the next: panels 4 KiB apart would share a set of the first-level cache.
const PITCH: usize = ROWS + 2;

/// A fully connected layer, as the CPU computes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel {
    inputs: usize,
    outputs: usize,
}

impl Kernel {
    /// The kernel of a layer.
    pub fn new(geometry: Geometry) -> Self {
        let Geometry { inputs, outputs } = geometry;
        Self { inputs, outputs }
    }

    fn input_panels(self) -> usize {
        self.inputs.div_ceil(PANEL)
    }

    /// Outputs per task.
    fn block(self) -> usize {
        BLOCK.min(self.outputs.div_ceil(TASKS).next_multiple_of(8))
    }

    /// Panels of inputs that are processed together.
    fn strip_panels(self) -> usize {
        COLUMNS.min(self.input_panels().div_ceil(TASKS).next_multiple_of(TOGETHER))
    }

    /// Whether the rows of a task can be counted in 32 bits.
    pub fn fits(self) -> bool {
        u32::try_from(self.block().saturating_mul(self.inputs)).is_ok()
    }

    /// Floats that a pass borrows, for all threads.
    pub fn space(self, batch: usize) -> usize {
        let images = batch.next_multiple_of(PANEL);
        let forward = images * (self.inputs + self.outputs.next_multiple_of(self.block()));
        let backward = batch * (self.input_panels() * PANEL + self.outputs.next_multiple_of(ROWS));
        forward.max(backward)
    }

    /// Floats of scratch that one task borrows.
    pub fn scratch(self, batch: usize) -> usize {
        let columns = self.strip_panels() * PANEL;
        (PITCH * columns).max(self.block() * (batch + columns))
    }

    /// Columns of w or dw that are processed together.
    fn columns(self, block: usize) -> Range<usize> {
        let width = self.strip_panels() * PANEL;
        block * width..((block + 1) * width).min(self.inputs)
    }

    /// `columns` of some rows of w or dw.
    fn strip<'a>(self, rows: &'a [f32], columns: &Range<usize>) -> Strip<'a> {
        Strip {
            rows,
            width: self.inputs,
            from: columns.start,
            to: columns.end,
        }
    }
}

/// Whether a sum starts at term `from` or continues there.
fn start(from: usize) -> Start {
    if from == 0 { Start::Zero } else { Start::Sum }
}
