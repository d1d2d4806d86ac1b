//! Convolution on the CPU, with one algorithm for each direction, chosen when the network is made.
//!
//! Weights are packed once per pass, for all threads. Then images are independent. The weight gradient is summed over the
//! images of a chunk in order, and over chunks in [`Kernel::reduce`]: the bits are the same for any number of threads.

use super::layout::{Layout, Panel};
use super::panels::{self, Weights};
use super::prepared::Prepared;
use super::products::Products;
use super::{Algorithm, Geometry, bias, winograd};

pub use super::epilogue::Epilogue;
pub use super::prepared::Filters;

use crate::config::compute::Method;
use crate::devices::cpu::Threads;
use crate::ops::Chunks;
use crate::ops::map::{Map, Order};
use crate::ops::simd::LANES;
use crate::ops::tile::PANEL;

/// A convolution, and how each direction is computed. x is in a given order; everything else is blocked.
#[derive(Clone, Debug, PartialEq)]
pub struct Kernel {
    geometry: Geometry,
    order: Order,
    /// Algorithm of the forward pass and the weight gradient.
    forward: Algorithm,
    /// The convolution of dy that gives dx, and its algorithm; `None`: dx is computed by products of `geometry` itself.
    data: Option<(Geometry, Algorithm)>,
    /// The most images that are processed together, in any direction and forward.
    images: usize,
    images_forward: usize,
}

impl Kernel {
    /// A kernel for batches cut into `chunks`.
    pub fn new(geometry: &Geometry, order: Order, method: Method, chunks: &Chunks) -> Self {
        let forward = Algorithm::of(geometry, order, method);
        let data = geometry.transposed().map(|transposed| {
            let algorithm = Algorithm::of(&transposed, Order::Blocked, method);
            (transposed, algorithm)
        });
        let data = data.filter(|(_, algorithm)| *algorithm != Algorithm::Products);
        let most = chunks.longest();
        let images_forward = forward.images(geometry, most);
        let images = images_forward.max(forward.images_of_gradient(geometry, most)).max(
            data.as_ref()
                .map_or(0, |(geometry, algorithm)| algorithm.images(geometry, most)),
        );
        Self {
            geometry: geometry.clone(),
            order,
            forward,
            data,
            images,
            images_forward,
        }
    }

    /// The convolution.
    pub fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// How the forward pass and the weight gradient are computed.
    pub fn algorithm(&self) -> Algorithm {
        self.forward
    }

    /// How the data gradient is computed.
    pub fn algorithm_of_data(&self) -> Algorithm {
        self.data
            .as_ref()
            .map_or(Algorithm::Products, |(_, algorithm)| *algorithm)
    }

    /// How many images are best processed together, in any direction.
    pub fn images(&self) -> usize {
        self.images
    }

    /// How many images are best processed together in the forward pass, where their number does not change the bits.
    pub fn images_forward(&self) -> usize {
        self.images_forward
    }

    /// Layout of x for one image.
    pub fn input(&self) -> Map {
        Map {
            shape: self.geometry.input,
            order: self.order,
        }
    }

    /// Layout of y for one image.
    pub fn output(&self) -> Map {
        Map::blocked(self.geometry.output)
    }

    /// Floats of scratch per task.
    pub fn scratch(&self) -> usize {
        let of = |algorithm: Algorithm, geometry: &Geometry, order| {
            let parts = (1..=self.images).map(|count| algorithm.images(geometry, count));
            Prepared::new(algorithm, geometry, order, parts.max().unwrap_or(1)).scratch()
        };
        let data = self.data.as_ref().map_or_else(
            || of(Algorithm::Products, &self.geometry, self.order),
            |(geometry, algorithm)| of(*algorithm, geometry, Order::Blocked),
        );
        let counts = 1..=self.images;
        let parts = counts.map(|count| self.forward.images_of_gradient(&self.geometry, count));
        let weights = self.prepared(parts.max().unwrap_or(1)).scratch();
        of(self.forward, &self.geometry, self.order).max(data).max(weights)
    }

    /// Floats of packed weights, for both passes.
    pub fn packed(&self) -> usize {
        let of = |algorithm: Algorithm, geometry: &Geometry| panels_of(geometry) * algorithm.panel(geometry);
        let data = self
            .data
            .as_ref()
            .map_or(0, |(geometry, algorithm)| of(*algorithm, geometry));
        of(self.forward, &self.geometry).max(data)
    }

    /// Floats of partial sums of dw and db per chunk.
    pub fn partial(&self) -> usize {
        self.partial_weights() + self.geometry.output.channels.next_multiple_of(LANES)
    }

    fn partial_weights(&self) -> usize {
        match self.forward {
            Algorithm::Products => self.geometry.weights(),
            _ => panels_of(&self.geometry) * self.geometry.patch() * PANEL,
        }
    }

    /// Packs `weight` for [`forward`](Self::forward).
    pub fn pack_forward(&self, threads: &Threads, weight: &[f32], packed: &mut [f32]) {
        let weights = Weights::forward(weight, &self.geometry);
        pack(threads, self.forward, &self.geometry, self.order, weights, packed);
    }

    /// Packs `weight` for [`backward_data`](Self::backward_data).
    pub fn pack_backward(&self, threads: &Threads, weight: &[f32], packed: &mut [f32]) {
        if let Some((transposed, algorithm)) = &self.data {
            let weights = Weights::transposed(weight, &self.geometry);
            pack(threads, *algorithm, transposed, Order::Blocked, weights, packed);
        }
    }

    /// The forward pass and the weight gradient on `images` images.
    fn prepared(&self, images: usize) -> Prepared<'_> {
        Prepared::new(self.forward, &self.geometry, self.order, images)
    }

    /// y from x for some images. `filters.packed` is what [`pack_forward`](Self::pack_forward) made of the weights.
    pub fn forward(&self, x: &[f32], filters: Filters<'_>, epilogue: Epilogue<'_>, y: &mut [f32], scratch: &mut [f32]) {
        let (input, output) = (self.input().len(), self.output().len());
        let images = self.forward.images(&self.geometry, y.len() / output);
        for (x, y) in x.chunks(images * input).zip(y.chunks_mut(images * output)) {
            self.prepared(y.len() / output)
                .forward(x, filters, epilogue, y, scratch);
        }
    }

    /// dx from dy for some images. `filters.packed` is what [`pack_backward`](Self::pack_backward) made of the weights.
    pub fn backward_data(&self, dy: &[f32], filters: Filters<'_>, dx: &mut [f32], scratch: &mut [f32]) {
        let (input, output) = (Map::blocked(self.geometry.input).len(), self.output().len());
        let most = dy.len() / output;
        let images = match &self.data {
            Some((transposed, algorithm)) => algorithm.images(transposed, most),
            None => Algorithm::Products.images(&self.geometry, most),
        };
        for (dy, dx) in dy.chunks(images * output).zip(dx.chunks_mut(images * input)) {
            let images = dx.len() / input;
            if let Some((transposed, algorithm)) = &self.data {
                let prepared = Prepared::new(*algorithm, transposed, Order::Blocked, images);
                prepared.forward(dy, filters, Epilogue::NONE, dx, scratch);
            } else {
                let products = Products::new(&self.geometry, self.order, images);
                products.backward_data(filters.weight, dy, dx, scratch);
            }
        }
    }

    /// Adds dw and db of some images to a chunk's partial sums, see [`partial`](Self::partial).
    pub fn backward_weights(&self, x: &[f32], dy: &[f32], partial: &mut [f32], scratch: &mut [f32]) {
        let (input, output) = (self.input().len(), self.output().len());
        let (dw, db) = partial.split_at_mut(self.partial_weights());
        let images = self.forward.images_of_gradient(&self.geometry, dy.len() / output);
        for (x, dy) in x.chunks(images * input).zip(dy.chunks(images * output)) {
            self.prepared(dy.len() / output).backward_weights(x, dy, dw, scratch);
        }
        bias::add_positions(self.output(), dy, db);
    }

    /// dw and db from the partial sums of the chunks that hold the first `rows` images.
    pub fn reduce(
        &self,
        threads: &Threads,
        chunks: &Chunks,
        rows: usize,
        partial: &mut [f32],
        dw: &mut [f32],
        db: &mut [f32],
    ) {
        let used = &mut partial[..chunks.holding(rows).len() * self.partial()];
        if used.is_empty() {
            dw.fill(0.0);
            return db.fill(0.0);
        }
        let (first, weights) = (
            sum_chunks(threads, self.partial(), chunks, used),
            self.partial_weights(),
        );
        db.copy_from_slice(&first[weights..][..db.len()]);
        let sums = &first[..weights];
        if self.forward == Algorithm::Products {
            return dw.copy_from_slice(sums);
        }
        let layout = Layout::new(&self.geometry, self.order, 1);
        let panel = self.geometry.patch() * PANEL;
        // Panels do not cross groups: dw is cut by groups, and each group by panels.
        let patch = self.geometry.patch();
        let mut parts: Vec<(Panel, &mut [f32])> = Vec::with_capacity(panels_of(&self.geometry));
        let mut rest = dw;
        for panel in layout.panels() {
            let (part, after) = rest.split_at_mut(panel.channels.len() * patch);
            parts.push((panel, part));
            rest = after;
        }
        threads.each_part(&mut parts, 1, |_, parts| {
            for (number, dw) in parts {
                let sums = &sums[number.number * panel..][..panel];
                panels::unpack(&layout, number, sums, dw);
            }
        });
    }
}

/// Number of panels of all groups.
fn panels_of(geometry: &Geometry) -> usize {
    geometry.groups * geometry.group_outputs().div_ceil(PANEL)
}

fn pack(
    threads: &Threads,
    algorithm: Algorithm,
    geometry: &Geometry,
    order: Order,
    weights: Weights<'_>,
    packed: &mut [f32],
) {
    let panel = algorithm.panel(geometry);
    let layout = Layout::new(geometry, order, 1);
    let packed = &mut packed[..panel * panels_of(geometry)];
    threads.each_part(packed, panel, |number, to| match algorithm {
        Algorithm::Winograd => winograd::pack(geometry, weights, &layout.panel(number), to),
        Algorithm::Direct => weights.pack(&layout, &layout.panel(number), to),
        Algorithm::Products => {}
    });
}

/// Sums the parts of all chunks into the first one: those of the first half in order, plus those of the second half in order.
fn sum_chunks<'a>(threads: &Threads, part: usize, chunks: &Chunks, partial: &'a mut [f32]) -> &'a [f32] {
    const PIECE: usize = 16 * 1024;
    const BLOCK: usize = 256;
    let used = partial.len() / part;
    let middle = chunks.in_first_half().min(used);
    let (first, others) = partial.split_at_mut(part);
    let others = &*others;
    threads.each_part(first, PIECE, |i, to| {
        for (block, to) in to.chunks_mut(BLOCK).enumerate() {
            let at = i * PIECE + block * BLOCK;
            let other = |chunk: usize, len: usize| &others[(chunk - 1) * part + at..][..len];
            for chunk in 1..middle {
                let other = other(chunk, to.len());
                to.iter_mut().zip(other).for_each(|(to, value)| *to += value);
            }
            let mut second = [0.0f32; BLOCK];
            for chunk in middle.max(1)..used {
                let other = other(chunk, to.len());
                second.iter_mut().zip(other).for_each(|(sum, value)| *sum += value);
            }
            to.iter_mut().zip(&second).for_each(|(to, value)| *to += value);
        }
    });
    &partial[..part]
}
