//! Convolution and the fully connected layer on a GPU (`kernels/conv.cu`): which tiles, how many parts, which launches.

mod bias;
mod blocks;
mod tiles;

use bytemuck::{Pod, Zeroable};

use super::Geometry;
use crate::devices::cuda::{Address, Arguments, CudaError, Kernels, Launch};
use crate::ops::lanes::{LANES, Laid, lanes};
pub use bias::BiasKernel;
pub use blocks::Blocks;
use tiles::{Grid, Pass, Tile};

/// As `kernels/sides.cuh` reads it.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
struct Map {
    height: i32,
    width: i32,
    lanes: i32,
    channels: i32,
    depth: i32,
}

/// As `kernels/sides.cuh` reads it.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
struct Conv {
    images: i32,
    x: Map,
    y: Map,
    window: i32,
    stride: i32,
    padding: i32,
    groups: i32,
    parts: i32,
    relu: i32,
}

/// As `kernels/conv.cu` reads it.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
struct Sum {
    parts: i32,
    reserved: i32,
    size: i64,
    columns: i32,
    relu: i32,
}

/// The most blocks of a launch along its second and third side.
const MOST_BLOCKS: usize = 65_535;

/// A layer that is computed by the kernels of convolution, for batches of a fixed size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel {
    images: usize,
    x: Laid,
    y: Laid,
    /// Channels of a group of x, as the weights have them.
    inputs: usize,
    /// Channels of a group of y.
    outputs: usize,
    window: usize,
    stride: usize,
    padding: usize,
    groups: usize,
    is_first: bool,
    blocks: Option<Blocks>,
}

/// The arrays of a layer.
#[derive(Clone, Copy, Debug)]
pub struct Arrays {
    /// The input.
    pub x: Address,
    /// The output.
    pub y: Address,
    /// The weights.
    pub w: Address,
    /// The biases.
    pub b: Address,
    /// Where parts of sums go.
    pub workspace: Address,
}

impl Kernel {
    /// A convolution. The first layer with parameters needs no data gradient.
    pub fn new(geometry: &Geometry, images: usize, is_first: bool) -> Self {
        let groups = geometry.groups;
        let (x, y) = (Laid::new(geometry.input), Laid::new(geometry.output));
        Self {
            images,
            x,
            y,
            // Without groups, the added lanes are channels with weights of zero.
            inputs: if groups == 1 { x.lanes } else { geometry.group_inputs() },
            outputs: geometry.group_outputs(),
            window: geometry.kernel,
            stride: geometry.stride,
            padding: geometry.padding,
            groups,
            is_first,
            blocks: None,
        }
    }

    /// A convolution on the network's input, by blocks.
    pub fn by_blocks(geometry: &Geometry, blocks: Blocks, images: usize) -> Self {
        let x = blocks.input(geometry);
        Self {
            x,
            inputs: x.lanes,
            window: blocks.window(),
            stride: 1,
            padding: 0,
            blocks: Some(blocks),
            ..Self::new(geometry, images, true)
        }
    }

    /// A fully connected layer: a 1×1 convolution of an image whose places are the batch's rows.
    pub fn linear(input: Laid, outputs: usize, rows: usize, is_first: bool) -> Self {
        let row_of = |lanes| Laid {
            height: 1,
            width: rows,
            lanes,
        };
        Self {
            images: 1,
            x: row_of(input.floats()),
            y: row_of(lanes(outputs)),
            inputs: input.floats(),
            outputs,
            window: 1,
            stride: 1,
            padding: 0,
            groups: 1,
            is_first,
            blocks: None,
        }
    }

    /// Floats of a place of the weights: channels of a group, without groups with the added lanes.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// The blocks that it works by, if it does.
    pub fn blocks(&self) -> Option<Blocks> {
        self.blocks
    }

    /// Floats of one output's weights: `[K][K][inputs of a group]`.
    pub fn row(&self) -> usize {
        self.window * self.window * self.inputs
    }

    /// Floats of the weights.
    pub fn weights(&self) -> usize {
        self.outputs * self.groups * self.row()
    }

    /// Which floats of a row are taps of the layer; `None`: all.
    pub fn mask(&self) -> Option<Vec<u8>> {
        let blocks = self.blocks?;
        let mut mask = vec![0; self.row()];
        for i in 0..blocks.kernel {
            for j in 0..blocks.kernel {
                for c in 0..3 {
                    let [row, column, lane] = blocks.place(i, j, c);
                    mask[(row * self.window + column) * self.inputs + lane] = 1;
                }
            }
        }
        Some(mask)
    }

    /// Whether all of its numbers are in the range of the kernels', and those of its launches in that of GPUs.
    pub fn fits(&self) -> bool {
        let passes = [Pass::Forward, Pass::Data, Pass::Weights];
        let launches = passes.into_iter().filter(|pass| self.is_wanted(*pass)).all(|pass| {
            let parts = self.parts(pass);
            let [x, y, z] = self.grid(pass).blocks(pass, self.tile(pass, parts), parts);
            i32::try_from(x).is_ok() && y <= MOST_BLOCKS && z <= MOST_BLOCKS
        });
        launches && self.numbers_fit()
    }

    fn numbers_fit(&self) -> bool {
        const MOST: usize = i32::MAX as usize;
        let places = |map: Laid| self.images.saturating_mul(map.places());
        let unit = if self.is_scalar() { 1 } else { LANES };
        let reach = |map: Laid| places(map).saturating_mul(map.lanes / unit);
        [
            places(self.x),
            places(self.y),
            self.x.floats(),
            self.y.floats(),
            self.weights(),
        ]
        .iter()
        .all(|number| *number <= MOST)
            && [reach(self.x), reach(self.y)]
                .iter()
                .all(|number| u32::try_from(*number).is_ok())
    }

    /// Floats of the workspace: for the parts of the pass that has the most.
    pub fn workspace(&self) -> usize {
        let passes = [Pass::Forward, Pass::Data, Pass::Weights];
        let floats = passes.into_iter().filter(|pass| self.is_wanted(*pass)).map(|pass| {
            let parts = self.parts(pass);
            if parts > 1 || self.has_sum(pass) {
                parts * self.size(pass)
            } else {
                0
            }
        });
        floats.max().unwrap_or(0)
    }

    /// y from x. With `relu`, max(0, y).
    pub fn forward(&self, kernels: &mut Kernels, arrays: Arrays, relu: bool) -> Result<Vec<Launch>, CudaError> {
        let Arrays { x, y, w, b, workspace } = arrays;
        let end = End {
            bias: Some(b),
            mask: None,
            relu,
        };
        self.launches(kernels, Pass::Forward, [y, x, w], workspace, end)
    }

    /// dx from dy, which are where `arrays` has x and y. None for the first layer.
    pub fn data(&self, kernels: &mut Kernels, arrays: Arrays) -> Result<Vec<Launch>, CudaError> {
        if self.is_first {
            return Ok(Vec::new());
        }
        let Arrays { x, y, w, workspace, .. } = arrays;
        self.launches(kernels, Pass::Data, [x, y, w], workspace, End::default())
    }

    /// dw from x and dy, which are where `arrays` has w, x and y. `mask` is where the bytes of [`mask`](Self::mask) are.
    pub fn weights_gradient(
        &self,
        kernels: &mut Kernels,
        arrays: Arrays,
        mask: Option<Address>,
    ) -> Result<Vec<Launch>, CudaError> {
        let Arrays { x, y, w, workspace, .. } = arrays;
        let end = End { mask, ..End::default() };
        self.launches(kernels, Pass::Weights, [w, x, y], workspace, end)
    }

    fn is_wanted(&self, pass: Pass) -> bool {
        pass != Pass::Data || !self.is_first
    }

    /// Whether a second kernel ends the pass even if there is one part.
    fn has_sum(&self, pass: Pass) -> bool {
        pass == Pass::Weights && self.blocks.is_some()
    }

    /// Whether groups are no whole chunks.
    fn is_scalar(&self) -> bool {
        self.groups > 1 && !(self.inputs.is_multiple_of(LANES) && self.outputs.is_multiple_of(LANES))
    }

    /// Floats of the result.
    fn size(&self, pass: Pass) -> usize {
        match pass {
            Pass::Forward => self.images * self.y.floats(),
            Pass::Data => self.images * self.x.floats(),
            Pass::Weights => self.weights(),
        }
    }

    /// The floats of the result's smallest unit, which `Sum::columns` counts.
    fn columns(&self, pass: Pass) -> usize {
        match pass {
            Pass::Forward => self.y.lanes,
            Pass::Data => self.x.lanes,
            Pass::Weights => self.row(),
        }
    }

    /// The product that a pass is.
    fn grid(&self, pass: Pass) -> Grid {
        let taps = self.window * self.window;
        let (rows, columns, depth) = match pass {
            Pass::Forward => (self.images * self.y.places(), self.outputs, taps * lanes(self.inputs)),
            Pass::Data => (
                self.images * self.x.places(),
                self.inputs,
                taps * self.outputs.next_multiple_of(2 * LANES),
            ),
            Pass::Weights => (self.outputs, taps * lanes(self.inputs), self.images * self.y.places()),
        };
        Grid {
            rows,
            columns,
            depth,
            groups: self.groups,
        }
    }

    /// Into how many parts the depth is cut. It decides the order of sums, so only the shape decides it.
    fn parts(&self, pass: Pass) -> usize {
        let most = match pass {
            Pass::Weights => self.images,
            Pass::Forward | Pass::Data => usize::MAX,
        };
        self.grid(pass).parts(most)
    }

    fn tile(&self, pass: Pass, parts: usize) -> &'static Tile {
        Tile::of(pass, self.is_scalar(), self.stride > 1, self.grid(pass), parts)
    }

    fn launches(
        &self,
        kernels: &mut Kernels,
        pass: Pass,
        [out, a, b]: [Address; 3],
        workspace: Address,
        end: End,
    ) -> Result<Vec<Launch>, CudaError> {
        let parts = self.parts(pass);
        let in_two = parts > 1 || self.has_sum(pass);
        let to = if in_two { workspace } else { out };
        let grid = self.grid(pass);
        let tile = self.tile(pass, parts);
        let mut arguments = Arguments::default().array(to).array(a).array(b);
        if pass != Pass::Weights {
            arguments = arguments.array(end.bias.filter(|_| !in_two));
        }
        let arguments = arguments.value(self.values(parts, end.relu && !in_two));
        let blocks = grid.blocks(pass, tile, parts);
        let product = Launch::new(kernels.get(tile.kernel)?, blocks, [tile.threads, 1, 1], arguments);
        if !in_two {
            return Ok(vec![product]);
        }
        let size = self.size(pass);
        let arguments = Arguments::default()
            .array(out)
            .array(workspace)
            .array(end.bias)
            .array(end.mask)
            .value(Sum {
                parts: parts as i32,
                reserved: 0,
                size: size as i64,
                columns: self.columns(pass) as i32,
                relu: i32::from(end.relu),
            });
        let sum = Launch::new(
            kernels.get("conv_sum")?,
            [size.div_ceil(256), 1, 1],
            [256, 1, 1],
            arguments,
        );
        Ok(vec![product, sum])
    }

    fn values(&self, parts: usize, relu: bool) -> Conv {
        let map = |laid: Laid, channels: usize, depth: usize| Map {
            height: laid.height as i32,
            width: laid.width as i32,
            lanes: laid.lanes as i32,
            channels: channels as i32,
            depth: depth as i32,
        };
        Conv {
            images: self.images as i32,
            x: map(self.x, self.inputs, lanes(self.inputs)),
            y: map(self.y, self.outputs, self.outputs.next_multiple_of(2 * LANES)),
            window: self.window as i32,
            stride: self.stride as i32,
            padding: self.padding as i32,
            groups: self.groups as i32,
            parts: parts as i32,
            relu: i32::from(relu),
        }
    }
}

/// What ends a pass.
#[derive(Clone, Copy, Debug, Default)]
struct End {
    bias: Option<Address>,
    mask: Option<Address>,
    relu: bool,
}
