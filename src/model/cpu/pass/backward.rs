//! The backward pass.

use std::ops::Range;

use super::fused::in_place_backward;
use super::{Work, rows_of, steps};
use crate::devices::PeerLost;
use crate::devices::cpu::{Parts, Rows};
use crate::model::Direction;
use crate::model::columns::Reshard;
use crate::model::cpu::buffers::Kept;
use crate::model::cpu::clock::Clock;
use crate::model::cpu::columns::{Columns, Images, Operands};
use crate::model::cpu::held::Held;
use crate::model::cpu::network::Network;
use crate::model::cpu::segment::{Head, POOLS, Segment};
use crate::ops::conv::cpu::{Filters, Kernel};
use crate::ops::linear;

impl Network {
    /// Gradients of all parameters, from the latest [`loss`](Network::loss) after a training pass. `columns` moves the
    /// maps' gradients between devices, if each has a share of the network.
    pub fn backward(&mut self, mut columns: Option<&mut Columns>) -> Result<(), PeerLost> {
        let (work, buffers, parameters) = self.work();
        let first = work.plan.first;
        work.cpu.threads.install(|| {
            let mut clock = Clock::start(work.timings);
            let [mut dy, mut dx] = buffers.gradients.each_mut().map(std::mem::take);
            let mut sums = std::mem::take(&mut buffers.parameters);
            let mut partial = std::mem::take(&mut buffers.partial);
            let mut packed = std::mem::take(&mut buffers.packed);
            let mut shown = std::mem::take(&mut buffers.shown);
            for (number, segment) in work.plan.segments.iter().enumerate().skip(first).rev() {
                let (x, kept) = buffers.at(number);
                let mut backward = Backward {
                    work,
                    segment,
                    parameters: parameters.get(segment.parameter..).unwrap_or_default(),
                    x,
                    kept,
                    dy: &mut dy,
                    dx: (number > first).then_some(&mut dx[..]),
                    clock: &mut clock,
                };
                match &segment.head {
                    Head::FullyConnected(linear) => {
                        backward.fully_connected(*linear, two(&mut sums, segment.parameter), &mut packed);
                    }
                    Head::Convolution(kernel) => {
                        let sums = two(&mut sums, segment.parameter);
                        backward.convolution(kernel, sums, &mut packed, &mut partial);
                    }
                    Head::Reshard(reshard) => backward.reshard(reshard, columns.as_deref_mut(), &mut shown)?,
                    Head::None => backward.maps(None, &mut []),
                }
                std::mem::swap(&mut dy, &mut dx);
            }
            buffers.gradients = [dy, dx];
            buffers.parameters = sums;
            buffers.partial = partial;
            buffers.packed = packed;
            buffers.shown = shown;
            Ok(())
        })
    }
}

/// One segment's backward pass.
struct Backward<'s, 'c> {
    work: Work<'s>,
    segment: &'s Segment,
    /// Weights and biases of the head, and all parameters behind them.
    parameters: &'s [Held],
    x: &'s [f32],
    kept: &'s Kept,
    dy: &'s mut [f32],
    /// `None` where no layer below has parameters.
    dx: Option<&'s mut [f32]>,
    clock: &'s mut Clock<'c>,
}

/// A convolution at the head of a segment.
#[derive(Clone, Copy)]
struct Convolution<'s> {
    kernel: &'s Kernel,
    filters: Filters<'s>,
}

impl Backward<'_, '_> {
    fn head(&self) -> Range<usize> {
        self.segment.layer..self.segment.layer + 1
    }

    fn fully_connected(self, linear: linear::cpu::Kernel, [dw, db]: [&mut [f32]; 2], packed: &mut [f32]) {
        let (Work { cpu, plan, .. }, head) = (self.work, self.head());
        self.work.vectors_backward(self.segment, self.kept, self.dy);
        self.clock.share();
        let (x, dy) = (self.x, &*self.dy);
        let gradient = linear::cpu::WeightGradient { x, dy, dw, db };
        linear.backward_weights(cpu, &plan.chunks, gradient, packed);
        self.clock.lap(head.clone(), Direction::BackwardWeights);
        if let Some(dx) = self.dx {
            let weight = &self.parameters[0].value;
            linear.backward_data(cpu, plan.chunks.batch(), weight, dy, dx, packed);
            self.clock.lap(head, Direction::BackwardData);
        }
    }

    fn convolution(mut self, kernel: &Kernel, [dw, db]: [&mut [f32]; 2], packed: &mut [f32], partial: &mut [f32]) {
        let (Work { cpu, plan, rows, .. }, head) = (self.work, self.head());
        let weight = &self.parameters[0].value;
        if self.dx.is_some() {
            kernel.pack_backward(&cpu.threads, weight, packed);
            self.clock.lap(head.clone(), Direction::BackwardData);
        }
        let filters = Filters { weight, packed };
        self.maps(Some(Convolution { kernel, filters }), partial);
        kernel.reduce(&cpu.threads, &plan.chunks, rows, partial, dw, db);
        self.clock.lap(head, Direction::BackwardWeights);
    }

    fn reshard(self, reshard: &Reshard, columns: Option<&mut Columns>, shown: &mut [f32]) -> Result<(), PeerLost> {
        let columns = columns.expect("only a share of a network has reshards");
        let head = self.head();
        let (batch, segment) = (self.work.plan.chunks.batch(), self.segment);
        if let Some(dx) = self.dx {
            let operands = Operands {
                from: Images {
                    map: segment.values[1].map,
                    data: &self.dy[..batch * segment.output()],
                },
                after: segment.values[0].map,
                to: &mut dx[..batch * segment.input()],
                space: shown,
            };
            columns.backward(reshard, operands)?;
        }
        self.clock.lap(head, Direction::BackwardData);
        Ok(())
    }

    /// Gradients through a segment of feature maps, some images at a time: down to the head's output, and through the head.
    fn maps(&mut self, head: Option<Convolution<'_>>, partial: &mut [f32]) {
        let (work, segment, x, kept) = (self.work, self.segment, self.x, self.kept);
        let parts = head.map(|head| Parts::new(partial, head.kernel.partial()));
        let dx = self.dx.as_deref_mut().map(|dx| Rows::new(dx, segment.input()));
        let data = (Rows::new(&mut *self.dy, segment.output()), (parts, dx));
        let moves = segment.ops.iter().any(|op| op.from != op.to);
        let largest = if moves { segment.largest() } else { 0 };
        work.cpu
            .each_range(work.chunks(), data, |chunk, (mut dy, (parts, mut dx))| {
                let mut scratch = work.cpu.scratch.of(work.cpu.threads.worker());
                let partial = parts.map_or(&mut [][..], |parts| &mut parts.data[..parts.per_range]);
                partial.fill(0.0);
                let mut clock = work.clock();
                for images in steps(chunk, segment.images()) {
                    let (next, rest) = scratch.split_at_mut(images.len() * largest);
                    let (other, rest) = rest.split_at_mut(images.len() * largest);
                    let gradients = [dy.take(images.len()), next, other];
                    let dx = dx.as_mut().map(|dx| dx.take(images.len()));
                    let piece = Piece {
                        work,
                        segment,
                        kept,
                        x,
                        images,
                    };
                    let gradient = piece.through_ops(gradients, rest, &mut clock);
                    match (head, dx) {
                        (Some(head), dx) => piece.through_head(head, gradient, [partial, rest], dx, &mut clock),
                        (None, Some(dx)) => dx.copy_from_slice(gradient),
                        (None, None) => {}
                    }
                }
            });
        if let Some(dx) = self.dx.as_deref_mut() {
            // A fully connected layer below takes all rows of the batch.
            let (input, batch) = (segment.input(), work.plan.chunks.batch());
            dx[work.rows * input..batch * input].fill(0.0);
        }
        self.clock.share();
    }
}

/// Some images of a segment of feature maps.
struct Piece<'s> {
    work: Work<'s>,
    segment: &'s Segment,
    kept: &'s Kept,
    /// The segment's input, of all images.
    x: &'s [f32],
    images: Range<usize>,
}

impl Piece<'_> {
    /// A value of these images; empty where it was not kept.
    fn value(&self, number: usize) -> &[f32] {
        match number {
            0 => rows_of(self.x, &self.images, self.segment.input()),
            _ if self.segment.values[number].kept => {
                let len = self.segment.values[number].map.len();
                rows_of(&self.kept.values[number - 1], &self.images, len)
            }
            _ => &[],
        }
    }

    /// From the gradient of the last value to that of the head's output, or of the input where there is no head. The first of
    /// `gradients` holds what comes in; the other two are scratch.
    fn through_ops<'b>(
        &self,
        gradients: [&'b mut [f32]; 3],
        scratch: &mut [f32],
        clock: &mut Clock<'_>,
    ) -> &'b mut [f32] {
        let (segment, count) = (self.segment, self.images.len());
        let [mut here, mut next, other] = gradients;
        let mut other = Some(other);
        let mut argmax: [&[u8]; POOLS] = [&[]; POOLS];
        for ((here, argmax), len) in argmax.iter_mut().zip(&self.kept.argmax).zip(&segment.argmax) {
            *here = rows_of(argmax, &self.images, *len);
        }
        for op in segment.ops.iter().rev() {
            let len = count * segment.values[op.to].map.len();
            let moved = op.from != op.to && {
                let dx = count * segment.values[op.from].map.len();
                let (dy, dx) = (&here[..len], &mut next[..dx]);
                segment.move_backward(op, self.value(op.from), &argmax, dy, dx, scratch)
            };
            if moved {
                // The gradient that came in is not needed again, and may be too short for what follows.
                let old = std::mem::replace(&mut here, next);
                next = other.take().unwrap_or(old);
            } else {
                in_place_backward(op, self.work.images(&self.images), self.value(op.to), &mut here[..len]);
            }
            clock.lap(op.layer..op.layer + 1, Direction::BackwardData);
        }
        let reached = usize::from(segment.head != Head::None);
        &mut here[..count * segment.values[reached].map.len()]
    }

    /// From the gradient of a convolution's output to the chunk's partial sums and, where it is wanted, to dx.
    fn through_head(
        &self,
        head: Convolution<'_>,
        gradient: &[f32],
        [partial, scratch]: [&mut [f32]; 2],
        dx: Option<&mut [f32]>,
        clock: &mut Clock<'_>,
    ) {
        let layers = self.segment.layer..self.segment.layer + 1;
        head.kernel.backward_weights(self.value(0), gradient, partial, scratch);
        clock.lap(layers.clone(), Direction::BackwardWeights);
        if let Some(dx) = dx {
            head.kernel.backward_data(gradient, head.filters, dx, scratch);
            clock.lap(layers, Direction::BackwardData);
        }
    }
}

impl Work<'_> {
    /// The gradient of a fully connected layer's own output, in place.
    fn vectors_backward(&self, segment: &Segment, kept: &Kept, dy: &mut [f32]) {
        let units = segment.output();
        if segment.ops.is_empty() {
            return;
        }
        self.cpu
            .each_range(self.chunks(), Rows::new(dy, units), |chunk, mut dy| {
                let dy = dy.take(chunk.len());
                let (images, mut clock) = (self.images(&chunk), self.clock());
                let y = rows_of(&kept.values[0], &chunk, units);
                for op in segment.ops.iter().rev() {
                    in_place_backward(op, images, y, dy);
                    clock.lap(op.layer..op.layer + 1, Direction::BackwardData);
                }
            });
    }
}

/// The gradients of the weights and biases from number `parameter` on; empty for a segment without any.
fn two(gradients: &mut [Vec<f32>], parameter: usize) -> [&mut [f32]; 2] {
    let mut gradients = gradients.iter_mut().skip(parameter);
    std::array::from_fn(|_| {
        gradients
            .next()
            .map_or(Default::default(), |gradient| &mut gradient[..])
    })
}
