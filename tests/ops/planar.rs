//! Operations on planar maps, `[image][channel][y][x]`, as in their formulas: the order is converted before and after.

use pipeline::config::compute::Method;
use pipeline::ops::conv::cpu::{Epilogue, Filters, Kernel};
use pipeline::ops::map::{Map, Order};
use pipeline::ops::{Chunks, Shape, conv, lrn, pool};

use crate::given::threads;

/// Converts every image of `from` from planar to blocked order.
pub fn blocked(shape: Shape, from: &[f32]) -> Vec<f32> {
    reorder(Map::planar(shape), from, Order::Blocked)
}

/// Converts every image of `from` from blocked to planar order; padding channels must be zero.
pub fn planar(shape: Shape, from: &[f32]) -> Vec<f32> {
    let planar = reorder(Map::blocked(shape), from, Order::Planar);
    assert!(
        blocked(shape, &planar)
            .iter()
            .zip(from)
            .all(|(a, b)| a == b || a.is_nan()),
        "padding channels are zero"
    );
    planar
}

fn reorder(map: Map, from: &[f32], order: Order) -> Vec<f32> {
    let other = Map { order, ..map };
    let mut to = vec![9.0; from.len() / map.len() * other.len()];
    for (from, to) in from.chunks_exact(map.len()).zip(to.chunks_exact_mut(other.len())) {
        map.reorder(from, order, to);
    }
    to
}

/// A convolution on batches of `batch` images.
pub struct Conv {
    pub kernel: Kernel,
    pub chunks: Chunks,
}

impl Conv {
    pub fn new(geometry: &conv::Geometry, order: Order, method: Method, batch: usize) -> Self {
        let chunks = Chunks::new(batch);
        Self {
            kernel: Kernel::new(geometry, order, method, &chunks),
            chunks,
        }
    }

    fn x(&self, x: &[f32]) -> Vec<f32> {
        reorder(Map::planar(self.kernel.geometry().input), x, self.kernel.input().order)
    }

    /// y from x.
    pub fn forward(&self, x: &[f32], w: &[f32], b: &[f32], rectify: bool) -> Vec<f32> {
        let (k, x) = (&self.kernel, self.x(x));
        let (mut packed, mut scratch) = (vec![f32::NAN; k.packed()], vec![f32::NAN; k.scratch()]);
        k.pack_forward(&threads(2), w, &mut packed);
        let mut y = vec![f32::NAN; self.chunks.batch() * k.output().len()];
        let parts = x.chunks(k.images() * k.input().len());
        for (x, y) in parts.zip(y.chunks_mut(k.images() * k.output().len())) {
            let (weight, packed, bias) = (w, &packed[..], Some(b));
            k.forward(
                x,
                Filters { weight, packed },
                Epilogue { bias, rectify },
                y,
                &mut scratch,
            );
        }
        planar(k.geometry().output, &y)
    }

    /// dx, dw and db from dy.
    pub fn backward(&self, x: &[f32], w: &[f32], dy: &[f32]) -> [Vec<f32>; 3] {
        let (k, g, x) = (&self.kernel, self.kernel.geometry(), self.x(x));
        let dy = blocked(g.output, dy);
        let (mut packed, mut scratch) = (vec![f32::NAN; k.packed()], vec![f32::NAN; k.scratch()]);
        k.pack_backward(&threads(2), w, &mut packed);
        let input = Map::blocked(g.input).len();
        let mut dx = vec![f32::NAN; self.chunks.batch() * input];
        let parts = dy.chunks(k.images() * k.output().len());
        for (dy, dx) in parts.zip(dx.chunks_mut(k.images() * input)) {
            let (weight, packed) = (w, &packed[..]);
            k.backward_data(dy, Filters { weight, packed }, dx, &mut scratch);
        }
        let mut partial = vec![0.0; self.chunks.len() * k.partial()];
        let ranges = self.chunks.holding(self.chunks.batch());
        for (range, partial) in ranges.iter().zip(partial.chunks_exact_mut(k.partial())) {
            for first in range.clone().step_by(k.images()) {
                let images = first..(first + k.images()).min(range.end);
                let x = &x[images.start * k.input().len()..images.end * k.input().len()];
                let dy = &dy[images.start * k.output().len()..images.end * k.output().len()];
                k.backward_weights(x, dy, partial, &mut scratch);
            }
        }
        let (mut dw, mut db) = (vec![f32::NAN; w.len()], vec![f32::NAN; g.output.channels]);
        k.reduce(
            &threads(2),
            &self.chunks,
            self.chunks.batch(),
            &mut partial,
            &mut dw,
            &mut db,
        );
        [planar(g.input, &dx), dw, db]
    }
}

/// b from a.
pub fn lrn_forward(g: &lrn::Geometry, a: &[f32]) -> Vec<f32> {
    let k = lrn::cpu::Kernel::new(*g);
    let (a, mut scratch) = (blocked(g.shape, a), vec![f32::NAN; k.scratch()]);
    let (mut b, len) = (vec![f32::NAN; a.len()], Map::blocked(g.shape).len());
    for (a, b) in a.chunks_exact(len).zip(b.chunks_exact_mut(len)) {
        k.forward(a, b, &mut scratch);
    }
    planar(g.shape, &b)
}

/// da from db, given a.
pub fn lrn_backward(g: &lrn::Geometry, a: &[f32], db: &[f32]) -> Vec<f32> {
    let (a, db) = (blocked(g.shape, a), blocked(g.shape, db));
    let k = lrn::cpu::Kernel::new(*g);
    let mut scratch = vec![f32::NAN; k.scratch()];
    let (mut da, len) = (vec![f32::NAN; a.len()], Map::blocked(g.shape).len());
    let images = a.chunks_exact(len).zip(db.chunks_exact(len));
    for ((a, db), da) in images.zip(da.chunks_exact_mut(len)) {
        k.backward(a, db, da, &mut scratch);
    }
    planar(g.shape, &da)
}

/// y and the (blocked) argmax of the maxima from x.
pub fn pool_forward(g: &pool::Geometry, x: &[f32]) -> (Vec<f32>, Vec<u8>) {
    let x = blocked(g.input, x);
    let (from, to) = (Map::blocked(g.input).len(), Map::blocked(g.output).len());
    let images = x.len() / from;
    let (mut y, mut argmax) = (vec![f32::NAN; images * to], vec![255; images * to]);
    let outputs = y.chunks_exact_mut(to).zip(argmax.chunks_exact_mut(to));
    for (x, (y, argmax)) in x.chunks_exact(from).zip(outputs) {
        pool::cpu::Kernel::new(*g).forward(x, y, argmax);
    }
    (planar(g.output, &y), argmax)
}

/// dx from dy and the argmax of the maxima.
pub fn pool_backward(g: &pool::Geometry, dy: &[f32], argmax: &[u8]) -> Vec<f32> {
    let dy = blocked(g.output, dy);
    let (from, to) = (Map::blocked(g.output).len(), Map::blocked(g.input).len());
    let mut dx = vec![f32::NAN; dy.len() / from * to];
    let images = dy.chunks_exact(from).zip(argmax.chunks_exact(from));
    for ((dy, argmax), dx) in images.zip(dx.chunks_exact_mut(to)) {
        pool::cpu::Kernel::new(*g).backward(dy, argmax, dx);
    }
    planar(g.input, &dx)
}
