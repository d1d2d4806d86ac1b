//! The passes through the segments, forward and backward.

use std::ops::Range;

use super::buffers::{Buffers, Kept};
use super::columns::{Operands, Resharder};
use super::fused::{Images, in_place_backward, in_place_forward};
use super::segment::{Action, Head, POOLS, Segment, VALUES};
use super::timing::{Clock, Timings};
use super::{Direction, Network, Parameter, Pass, Plan};
use crate::devices::cpu::{Cpu, Parts, Rows};
use crate::ops::conv::cpu::Kernel;
use crate::ops::softmax;

/// What all segments of a pass share.
#[derive(Clone, Copy)]
struct Work<'a> {
    cpu: &'a Cpu,
    plan: &'a Plan,
    rows: usize,
    first_row: usize,
    pass: Pass,
    timings: Option<&'a Timings>,
}

impl Network {
    /// Computes the first `rows` rows of the input; what the rows after hold makes no difference to them. Maps change hands at
    /// `resharder`. After an error the network is of no use any more.
    pub fn forward_through<S: Resharder>(
        &mut self,
        pass: Pass,
        rows: usize,
        resharder: &mut S,
    ) -> Result<(), S::Error> {
        let batch = self.batch();
        assert!(rows <= batch, "{rows} rows in a batch of {batch}");
        (self.pass, self.rows) = (pass, rows);
        // Work goes by whole chunks: rows beyond must hold numbers, and always the same.
        self.buffers.input[rows * self.spec.input.len()..].fill(0.0);
        let (work, buffers, parameters) = self.work();
        let Work { cpu, plan, .. } = work;
        cpu.threads.install(|| {
            let mut clock = Clock::start(work.timings);
            let mut packed = std::mem::take(&mut buffers.packed);
            let mut shown = std::mem::take(&mut buffers.shown);
            for (number, segment) in plan.segments.iter().enumerate() {
                let (x, kept) = buffers.at(number);
                let parameters = parameters.get(segment.parameter..).unwrap_or_default();
                match &segment.head {
                    Head::FullyConnected(linear) => {
                        let (weight, bias) = (&parameters[0].value, &parameters[1].value);
                        let y = &mut kept.values[0];
                        let (batch, rectify) = (plan.chunks.batch(), segment.rectify());
                        linear.forward(cpu, batch, x, weight, bias, y, rectify, &mut packed);
                        clock.lap(segment.head_layers(), Direction::Forward);
                        work.vectors_forward(segment, y);
                        clock.share();
                    }
                    Head::Convolution(kernel) => {
                        kernel.pack_forward(&cpu.threads, &parameters[0].value, &mut packed);
                        clock.lap(segment.head_layers(), Direction::Forward);
                        work.maps_forward(segment, x, kept, |x, y, scratch| {
                            let (weight, bias) = (&parameters[0].value, &parameters[1].value);
                            kernel.forward(x, weight, &packed, bias, y, segment.rectify(), scratch);
                        });
                        clock.share();
                    }
                    Head::Reshard(reshard) => {
                        let operands = Operands {
                            before: segment.values[0].map,
                            from: x,
                            after: segment.values[1].map,
                            to: &mut kept.values[0],
                            space: &mut shown,
                        };
                        resharder.forward(reshard, operands)?;
                        clock.lap(segment.head_layers(), Direction::Forward);
                    }
                    Head::None => {
                        work.maps_forward(segment, x, kept, |_, _, _| {});
                        clock.share();
                    }
                }
            }
            buffers.packed = packed;
            buffers.shown = shown;
            Ok(())
        })?;
        let mut clock = Clock::start(self.timings.as_ref());
        let classes = self.spec.classes;
        let used = rows * classes;
        let Buffers {
            segments,
            probabilities,
            ..
        } = &mut self.buffers;
        if let Some(kept) = segments.last() {
            softmax::cpu::probabilities(&kept.last()[..used], classes, &mut probabilities[..used]);
        }
        let after = self.spec.layers.len();
        clock.lap(after..after + 1, Direction::Forward);
        Ok(())
    }

    /// Gradients of all parameters, from the newest [`loss`](Network::loss) after a pass for training. Their maps change hands
    /// at `resharder`. After an error the network is of no use any more.
    pub fn backward_through<S: Resharder>(&mut self, resharder: &mut S) -> Result<(), S::Error> {
        let (work, buffers, parameters) = self.work();
        let Work { cpu, plan, rows, .. } = work;
        cpu.threads.install(|| {
            let mut clock = Clock::start(work.timings);
            let [mut dy, mut dx] = buffers.gradients.each_mut().map(std::mem::take);
            let mut sums = std::mem::take(&mut buffers.parameters);
            let mut partial = std::mem::take(&mut buffers.partial);
            let mut packed = std::mem::take(&mut buffers.packed);
            let mut shown = std::mem::take(&mut buffers.shown);
            for (number, segment) in plan.segments.iter().enumerate().skip(plan.first).rev() {
                let (x, kept) = buffers.at(number);
                let dx_wanted = (number > plan.first).then_some(&mut dx[..]);
                let head = segment.layer..segment.layer + 1;
                let [dw, db] = two(&mut sums, segment.parameter);
                match &segment.head {
                    Head::FullyConnected(linear) => {
                        work.vectors_backward(segment, kept, &mut dy);
                        clock.share();
                        linear.backward_weights(cpu, &plan.chunks, x, &dy, dw, db, &mut packed);
                        clock.lap(head.clone(), Direction::BackwardWeights);
                        if let Some(dx) = dx_wanted {
                            let weight = &parameters[segment.parameter].value;
                            linear.backward_data(cpu, plan.chunks.batch(), weight, &dy, dx, &mut packed);
                            clock.lap(head, Direction::BackwardData);
                        }
                    }
                    Head::Convolution(kernel) => {
                        let weight = &parameters[segment.parameter].value;
                        if dx_wanted.is_some() {
                            kernel.pack_backward(&cpu.threads, weight, &mut packed);
                            clock.lap(head.clone(), Direction::BackwardData);
                        }
                        let operands = Some((&**kernel, &weight[..], &packed[..]));
                        work.maps_backward(segment, operands, x, kept, &mut dy, &mut partial, dx_wanted);
                        clock.share();
                        kernel.reduce(&cpu.threads, &plan.chunks, rows, &mut partial, dw, db);
                        clock.lap(head, Direction::BackwardWeights);
                    }
                    Head::Reshard(reshard) => {
                        let batch = plan.chunks.batch();
                        let operands = Operands {
                            before: segment.values[1].map,
                            from: &dy[..batch * segment.output()],
                            after: segment.values[0].map,
                            to: &mut dx[..batch * segment.input()],
                            space: &mut shown,
                        };
                        resharder.backward(reshard, operands)?;
                        clock.lap(head, Direction::BackwardData);
                    }
                    Head::None => {
                        work.maps_backward(segment, None, x, kept, &mut dy, &mut [], dx_wanted);
                        clock.share();
                    }
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

    fn work(&mut self) -> (Work<'_>, &mut Buffers, &[Parameter]) {
        let work = Work {
            cpu: &self.cpu,
            plan: &self.plan,
            rows: self.rows,
            first_row: self.first_row,
            pass: self.pass,
            timings: self.timings.as_ref(),
        };
        (work, &mut self.buffers, &self.parameters)
    }
}

impl Work<'_> {
    /// The chunks to work on: those that hold any of the rows.
    fn chunks(&self) -> &[Range<usize>] {
        self.plan.chunks.holding(self.rows)
    }

    /// The clock of one of the threads that work side by side.
    fn clock(&self) -> Clock<'_> {
        Clock::beside(self.timings)
    }

    fn images(&self, range: &Range<usize>) -> Images {
        Images {
            first: self.first_row + range.start,
            count: range.len(),
            pass: self.pass,
        }
    }

    /// What follows a fully connected layer, in place.
    fn vectors_forward(&self, segment: &Segment, y: &mut [f32]) {
        let mut ops = segment.ops.iter();
        if ops.all(|op| op.action == Action::Relu { done: true }) {
            return;
        }
        self.cpu
            .each_range(self.chunks(), Rows::new(y, segment.output()), |chunk, mut y| {
                let y = y.take(chunk.len());
                let (images, mut clock) = (self.images(&chunk), self.clock());
                for op in &segment.ops {
                    in_place_forward(op, images, y);
                    if op.action != (Action::Relu { done: true }) {
                        clock.lap(op.layer..op.layer + 1, Direction::Forward);
                    }
                }
            });
    }

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

    /// A segment of feature maps: `head(x, y, scratch)` for some images, and then its operations on them.
    fn maps_forward(
        &self,
        segment: &Segment,
        x: &[f32],
        kept: &mut Kept,
        head: impl Fn(&[f32], &mut [f32], &mut [f32]) + Sync,
    ) {
        // Images are independent here: finer than chunks, for more threads than there are of those.
        let chunks = self.chunks().iter().cloned();
        let parts: Vec<_> = chunks
            .flat_map(|chunk| steps(chunk, segment.images_forward()))
            .collect();
        self.cpu
            .each_range(&parts, kept.rows(segment), |images, (mut values, mut argmax)| {
                let mut scratch = self.cpu.scratch.of(self.cpu.threads.worker());
                let mut clock = self.clock();
                let mut rest = &mut scratch[..];
                let mut here: [&mut [f32]; VALUES] = std::array::from_fn(|_| Default::default());
                for ((here, rows), value) in here.iter_mut().zip(&mut values).zip(&segment.values[1..]) {
                    let Some(rows) = rows else { break };
                    *here = if value.kept {
                        rows.take(images.len())
                    } else {
                        let (part, after) = rest.split_at_mut(images.len() * value.map.len());
                        rest = after;
                        part
                    };
                }
                let mut maxima: [&mut [u8]; POOLS] = std::array::from_fn(|_| Default::default());
                for (here, rows) in maxima.iter_mut().zip(argmax.iter_mut().flatten()) {
                    *here = rows.take(images.len());
                }
                let x = rows_of(x, &images, segment.input());
                if segment.head != Head::None {
                    head(x, here[0], rest);
                    clock.lap(segment.head_layers(), Direction::Forward);
                }
                segment.fused_forward(self.images(&images), x, &mut here, &mut maxima, rest, &mut clock);
            });
    }

    /// Gradients through a segment of feature maps, some images at a time: down to the head's output, and through the head.
    #[allow(clippy::too_many_arguments, reason = "the operands of a segment")]
    fn maps_backward(
        &self,
        segment: &Segment,
        head: Option<(&Kernel, &[f32], &[f32])>,
        x: &[f32],
        kept: &Kept,
        dy: &mut [f32],
        partial: &mut [f32],
        dx: Option<&mut [f32]>,
    ) {
        let parts = head.map(|(kernel, _, _)| Parts::new(partial, kernel.partial()));
        let data = (
            Rows::new(dy, segment.output()),
            (parts, dx.map(|dx| Rows::new(dx, segment.input()))),
        );
        let largest = segment.largest();
        self.cpu
            .each_range(self.chunks(), data, |chunk, (mut dy, (parts, mut dx))| {
                let mut scratch = self.cpu.scratch.of(self.cpu.threads.worker());
                let partial = parts.map_or(&mut [][..], |parts| {
                    let first = parts.per_range;
                    &mut parts.data[..first]
                });
                partial.fill(0.0);
                let (mut clock, layers) = (self.clock(), segment.layer..segment.layer + 1);
                for images in steps(chunk, segment.images()) {
                    let moves = segment.ops.iter().any(|op| op.from != op.to);
                    let space = if moves { images.len() * largest } else { 0 };
                    let (next, rest) = scratch.split_at_mut(space);
                    let (other, rest) = rest.split_at_mut(space);
                    let gradient = dy.take(images.len());
                    let gradients = [gradient, next, other];
                    let gradient = self.acts_backward(segment, &images, x, kept, gradients, rest, &mut clock);
                    let dx = dx.as_mut().map(|dx| dx.take(images.len()));
                    match (head, dx) {
                        (Some((kernel, weight, packed)), dx) => {
                            let x = rows_of(x, &images, segment.input());
                            kernel.backward_weights(x, gradient, partial, rest);
                            clock.lap(layers.clone(), Direction::BackwardWeights);
                            if let Some(dx) = dx {
                                kernel.backward_data(gradient, weight, packed, dx, rest);
                                clock.lap(layers.clone(), Direction::BackwardData);
                            }
                        }
                        (None, Some(dx)) => dx.copy_from_slice(gradient),
                        (None, None) => {}
                    }
                }
            });
    }

    /// The gradient of the head's output (or of the input, where there is no head) of some images, from that of the last
    /// value: the first of `gradients`; the other two are space.
    #[allow(clippy::too_many_arguments, reason = "the operands of a segment")]
    fn acts_backward<'b>(
        &self,
        segment: &Segment,
        images: &Range<usize>,
        x: &[f32],
        kept: &Kept,
        gradients: [&'b mut [f32]; 3],
        scratch: &mut [f32],
        clock: &mut Clock<'_>,
    ) -> &'b mut [f32] {
        let [mut here, mut next, other] = gradients;
        let mut other = Some(other);
        let value = |number: usize| match number {
            0 => rows_of(x, images, segment.input()),
            _ if segment.values[number].kept => {
                rows_of(&kept.values[number - 1], images, segment.values[number].map.len())
            }
            _ => &[],
        };
        let mut argmax: [&[u8]; POOLS] = [&[]; POOLS];
        for ((here, argmax), len) in argmax.iter_mut().zip(&kept.argmax).zip(&segment.argmax) {
            *here = rows_of(argmax, images, *len);
        }
        for op in segment.ops.iter().rev() {
            let len = images.len() * segment.values[op.to].map.len();
            let moved = op.from != op.to && {
                let dx = images.len() * segment.values[op.from].map.len();
                segment.move_backward(op, value(op.from), &argmax, &here[..len], &mut next[..dx], scratch)
            };
            if moved {
                // The gradient that came in is not needed again, and may be too short for what follows.
                let old = std::mem::replace(&mut here, next);
                next = other.take().unwrap_or(old);
            } else {
                in_place_backward(op, self.images(images), value(op.to), &mut here[..len]);
            }
            clock.lap(op.layer..op.layer + 1, Direction::BackwardData);
        }
        let reached = usize::from(segment.head != Head::None);
        &mut here[..images.len() * segment.values[reached].map.len()]
    }
}

/// The gradients of the weights and biases from number `parameter` on; empty for a segment without.
fn two(gradients: &mut [Vec<f32>], parameter: usize) -> [&mut [f32]; 2] {
    let mut gradients = gradients.iter_mut().skip(parameter);
    std::array::from_fn(|_| {
        gradients
            .next()
            .map_or(Default::default(), |gradient| &mut gradient[..])
    })
}

/// `chunk` in steps of `step` images.
fn steps(chunk: Range<usize>, step: usize) -> impl Iterator<Item = Range<usize>> {
    let end = chunk.end;
    chunk.step_by(step).map(move |first| first..(first + step).min(end))
}

/// What belongs to `images` in a buffer of `len` elements for each.
fn rows_of<'a, T>(data: &'a [T], images: &Range<usize>, len: usize) -> &'a [T] {
    &data[images.start * len..images.end * len]
}
