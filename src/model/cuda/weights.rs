//! Where a GPU has the elements of a parameter: output by output, with lanes where a checkpoint has planes.
//!
//! A checkpoint has `[O][C][H][W]`: H and W are the sides of a window, or of the map that a fully connected layer reads. A
//! GPU has `[O][row]`, where a row is `[H][W][lanes]`, or, of a layer that is computed by blocks, `[H'][W'][lanes of a block]`.
//! What a row has beyond the checkpoint's elements is zero, and stays so.

use crate::ops::conv::cuda::Blocks;

/// How a parameter lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeightLayout {
    /// O; a bias is one output.
    pub outputs: usize,
    /// C.
    pub channels: usize,
    /// H.
    pub height: usize,
    /// W.
    pub width: usize,
    /// Floats of a place.
    pub lanes: usize,
    /// Floats of an output.
    pub row: usize,
    /// How the places of the window lie in blocks, if they do.
    pub blocks: Option<Blocks>,
}

impl WeightLayout {
    /// Biases: a row of one place.
    pub fn bias(outputs: usize, lanes: usize) -> Self {
        Self {
            outputs: 1,
            channels: outputs,
            height: 1,
            width: 1,
            lanes,
            row: lanes,
            blocks: None,
        }
    }

    /// Elements of an output in a checkpoint.
    pub fn elements(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Floats on the GPU.
    pub fn floats(&self) -> usize {
        self.outputs * self.row
    }

    /// Calls `with(element, float)` with the number of each element in a checkpoint's output, and of the float that it is in a
    /// row.
    fn each(&self, mut with: impl FnMut(usize, usize)) {
        let mut element = 0;
        for c in 0..self.channels {
            for i in 0..self.height {
                for j in 0..self.width {
                    let [row, column, lane, lanes] = match self.blocks {
                        None => [i, j, c, self.lanes],
                        Some(blocks) => {
                            let [row, column, lane] = blocks.place(i, j, c);
                            [row, column, lane, blocks.lanes()]
                        }
                    };
                    let across = self.blocks.map_or(self.width, Blocks::window);
                    with(element, (row * across + column) * lanes + lane);
                    element += 1;
                }
            }
        }
    }

    /// Some outputs of a checkpoint as rows of the GPU's.
    pub fn rows_of(&self, elements: &[f32], rows: &mut [f32]) {
        rows.fill(0.0);
        let pairs = elements
            .chunks_exact(self.elements())
            .zip(rows.chunks_exact_mut(self.row));
        pairs.for_each(|(elements, row)| self.each(|element, float| row[float] = elements[element]));
    }

    /// Rows of the GPU's as some outputs of a checkpoint.
    pub fn elements_of(&self, rows: &[f32], elements: &mut [f32]) {
        let pairs = elements
            .chunks_exact_mut(self.elements())
            .zip(rows.chunks_exact(self.row));
        pairs.for_each(|(elements, row)| self.each(|element, float| elements[element] = row[float]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(layout: WeightLayout) -> Vec<f32> {
        let elements: Vec<f32> = (1..=layout.outputs * layout.elements()).map(|i| i as f32).collect();
        let mut rows = vec![f32::NAN; layout.floats()];
        layout.rows_of(&elements, &mut rows);
        let mut again = vec![0.0; elements.len()];
        layout.elements_of(&rows, &mut again);
        assert_eq!(again, elements);
        let zeros = rows.iter().filter(|value| **value == 0.0).count();
        assert_eq!(zeros, rows.len() - elements.len(), "what is added is zero");
        rows
    }

    #[test]
    fn lanes_take_the_place_of_planes() {
        let window = WeightLayout {
            outputs: 2,
            channels: 3,
            height: 1,
            width: 2,
            lanes: 4,
            row: 8,
            blocks: None,
        };
        let rows = round_trip(window);
        assert_eq!(rows[..8], [1.0, 3.0, 5.0, 0.0, 2.0, 4.0, 6.0, 0.0]);
        assert_eq!(round_trip(WeightLayout::bias(3, 4)), [1.0, 2.0, 3.0, 0.0]);
    }

    #[test]
    fn a_window_lies_in_blocks() {
        let blocks = Blocks { stride: 2, kernel: 3 };
        let rows = round_trip(WeightLayout {
            outputs: 1,
            channels: 3,
            height: 3,
            width: 3,
            lanes: 4,
            row: 4 * blocks.lanes(),
            blocks: Some(blocks),
        });
        // Element (c, i, j) = (0, 2, 1) is in the block below the first one, in its upper right pixel.
        assert_eq!(rows[2 * blocks.lanes() + 3], 8.0);
    }
}
