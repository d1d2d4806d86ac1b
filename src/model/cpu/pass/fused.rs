//! The operations behind the head of a segment, on some images.

use crate::model::Direction;
use crate::model::cpu::clock::Clock;
use crate::model::cpu::network::Pass;
use crate::model::cpu::segment::{Action, FusedOp, POOLS, Segment, VALUES};
use crate::ops::{dropout, relu, tanh};

/// Which rows of the batch some images are, and what pass they are in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Images {
    /// The first image's row in the batch of the whole run.
    pub(super) first: usize,
    /// How many.
    pub(super) count: usize,
    pub(super) pass: Pass,
}

/// What a segment writes on the way forward, for some images.
#[derive(Default)]
pub(super) struct Outputs<'v> {
    /// The values from number 1 on.
    pub(super) values: [&'v mut [f32]; VALUES],
    pub(super) argmax: [&'v mut [u8]; POOLS],
}

impl Segment {
    /// All operations behind the head.
    pub(super) fn fused_forward(
        &self,
        images: Images,
        x: &[f32],
        outputs: &mut Outputs<'_>,
        scratch: &mut [f32],
        clock: &mut Clock<'_>,
    ) {
        let Outputs { values, argmax } = outputs;
        let mut layers = self.head_layers();
        for op in self.ops.iter().filter(|op| op.action != Action::Relu { done: true }) {
            let to = std::mem::take(&mut values[op.to - 1]);
            if op.from != op.to {
                let from = if op.from == 0 { x } else { &*values[op.from - 1] };
                self.move_forward(op, images.count, from, to, argmax, scratch);
            }
            in_place_forward(op, images, to);
            values[op.to - 1] = to;
            if !layers.contains(&op.layer) {
                layers = op.layer..op.layer + 1;
            }
            clock.lap(layers.clone(), Direction::Forward);
        }
    }

    /// Computes `to` from `from` for an operation that makes a new value. Operations that work in place only copy here.
    fn move_forward(
        &self,
        op: &FusedOp,
        count: usize,
        from: &[f32],
        to: &mut [f32],
        argmax: &mut [&mut [u8]],
        scratch: &mut [f32],
    ) {
        let (before, after) = (self.values[op.from].map, self.values[op.to].map);
        let pairs = from
            .chunks_exact(before.len())
            .zip(to.chunks_exact_mut(after.len()))
            .take(count);
        match op.action {
            Action::Lrn(lrn) => pairs.for_each(|(a, b)| lrn.forward(a, b, scratch)),
            Action::Pool(pool, number) => {
                let argmax = argmax[number].chunks_exact_mut(after.len());
                pairs
                    .zip(argmax)
                    .for_each(|((x, y), argmax)| pool.forward(x, y, argmax));
            }
            Action::Reorder => pairs.for_each(|(from, to)| before.reorder(from, after.order, to)),
            Action::Relu { .. } | Action::Tanh | Action::Dropout { .. } => to.copy_from_slice(from),
        }
    }

    /// Computes dx from dy for an operation that made a new value. `false` if the operation works in place even so.
    pub(super) fn move_backward(
        &self,
        op: &FusedOp,
        from: &[f32],
        argmax: &[&[u8]],
        dy: &[f32],
        dx: &mut [f32],
        scratch: &mut [f32],
    ) -> bool {
        let (before, after) = (self.values[op.from].map, self.values[op.to].map);
        let pairs = dy.chunks_exact(after.len()).zip(dx.chunks_exact_mut(before.len()));
        match op.action {
            Action::Lrn(lrn) => {
                let images = from.chunks_exact(before.len()).zip(pairs);
                images.for_each(|(a, (db, da))| lrn.backward(a, db, da, scratch));
            }
            Action::Pool(pool, number) => {
                let argmax = argmax[number].chunks_exact(after.len());
                pairs
                    .zip(argmax)
                    .for_each(|((dy, dx), argmax)| pool.backward(dy, argmax, dx));
            }
            Action::Reorder => pairs.for_each(|(dy, dx)| after.reorder(dy, before.order, dx)),
            Action::Relu { .. } | Action::Tanh | Action::Dropout { .. } => return false,
        }
        true
    }
}

/// The part of an operation that works in place.
pub(super) fn in_place_forward(op: &FusedOp, images: Images, x: &mut [f32]) {
    match (op.action, images.pass) {
        (Action::Relu { done: false }, _) => relu::cpu::forward(x),
        (Action::Tanh, _) => tanh::cpu::forward(x),
        (Action::Dropout { p, .. }, Pass::Evaluate) => dropout::cpu::scale(p, x),
        (Action::Dropout { p, number, units }, Pass::Train { .. }) => mask(images, number, p, units, x),
        _ => {}
    }
}

/// dx from dy in place, given y.
pub(super) fn in_place_backward(op: &FusedOp, images: Images, y: &[f32], dy: &mut [f32]) {
    match (op.action, images.pass) {
        (Action::Relu { .. }, _) => relu::cpu::backward(y, dy),
        (Action::Tanh, _) => tanh::cpu::backward(y, dy),
        (Action::Dropout { p, .. }, Pass::Evaluate) => dropout::cpu::scale(p, dy),
        (Action::Dropout { p, number, units }, Pass::Train { .. }) => mask(images, number, p, units, dy),
        _ => {}
    }
}

fn mask(images: Images, number: u32, p: f32, units: dropout::Units, x: &mut [f32]) {
    if let Pass::Train { seed, step } = images.pass
        && images.count > 0
    {
        let masks = dropout::Masks::new(seed, step, number, p);
        for (row, x) in x.chunks_exact_mut(x.len() / images.count).enumerate() {
            dropout::cpu::apply(&masks, images.first + row, units, x);
        }
    }
}
