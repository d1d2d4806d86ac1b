//! The forward pass.

use super::fused::{Outputs, in_place_forward};
use super::{Work, rows_of, steps};
use crate::devices::PeerLost;
use crate::devices::cpu::Rows;
use crate::model::Direction;
use crate::model::columns::Reshard;
use crate::model::cpu::buffers::{Buffers, Kept};
use crate::model::cpu::clock::Clock;
use crate::model::cpu::columns::{Columns, Images, Operands};
use crate::model::cpu::held::Held;
use crate::model::cpu::network::{Network, Pass};
use crate::model::cpu::segment::{Action, Head, Segment};
use crate::ops::conv::cpu::{Epilogue, Filters, Kernel};
use crate::ops::{linear, softmax};

impl Network {
    /// Computes the rows that were copied. The rows behind them have no influence on the result. `columns` moves maps
    /// between devices, if each has a share of the network.
    pub fn forward(&mut self, pass: Pass, mut columns: Option<&mut Columns>) -> Result<(), PeerLost> {
        self.pass = pass;
        let rows = self.rows;
        // Whole chunks are computed: the rows behind must hold numbers, and always the same ones.
        self.buffers.input[rows * self.spec.input.len()..].fill(0.0);
        let (work, buffers, parameters) = self.work();
        work.cpu.threads.install(|| {
            let mut clock = Clock::start(work.timings);
            let mut packed = std::mem::take(&mut buffers.packed);
            let mut shown = std::mem::take(&mut buffers.shown);
            for (number, segment) in work.plan.segments.iter().enumerate() {
                let (x, kept) = buffers.at(number);
                let forward = Forward {
                    work,
                    segment,
                    parameters: parameters.get(segment.parameter..).unwrap_or_default(),
                    x,
                    kept,
                    clock: &mut clock,
                };
                match &segment.head {
                    Head::FullyConnected(linear) => forward.fully_connected(*linear, &mut packed),
                    Head::Convolution(kernel) => forward.convolution(kernel, &mut packed),
                    Head::Reshard(reshard) => forward.reshard(reshard, columns.as_deref_mut(), &mut shown)?,
                    Head::None => forward.maps(|_, _, _| {}),
                }
            }
            buffers.packed = packed;
            buffers.shown = shown;
            Ok(())
        })?;
        self.softmax();
        Ok(())
    }

    fn softmax(&mut self) {
        let mut clock = Clock::start(self.timings.as_ref());
        let classes = self.spec.classes;
        let used = self.rows * classes;
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
    }
}

/// One segment's forward pass.
struct Forward<'s, 'c> {
    work: Work<'s>,
    segment: &'s Segment,
    /// Weights and biases of the head, and all parameters behind them.
    parameters: &'s [Held],
    x: &'s [f32],
    kept: &'s mut Kept,
    clock: &'s mut Clock<'c>,
}

impl Forward<'_, '_> {
    fn fully_connected(self, linear: linear::cpu::Kernel, packed: &mut [f32]) {
        let Work { cpu, plan, .. } = self.work;
        let y = &mut self.kept.values[0];
        let operands = linear::cpu::Forward {
            x: self.x,
            weight: &self.parameters[0].value,
            bias: &self.parameters[1].value,
            y: &mut *y,
            rectify: self.segment.rectify(),
        };
        linear.forward(cpu, plan.chunks.batch(), operands, packed);
        self.clock.lap(self.segment.head_layers(), Direction::Forward);
        self.work.vectors_forward(self.segment, y);
        self.clock.share();
    }

    fn convolution(self, kernel: &Kernel, packed: &mut [f32]) {
        let (weight, bias) = (&self.parameters[0].value, &self.parameters[1].value);
        kernel.pack_forward(&self.work.cpu.threads, weight, packed);
        self.clock.lap(self.segment.head_layers(), Direction::Forward);
        let filters = Filters { weight, packed };
        let epilogue = Epilogue {
            bias: Some(bias),
            rectify: self.segment.rectify(),
        };
        self.maps(|x, y, scratch| kernel.forward(x, filters, epilogue, y, scratch));
    }

    fn reshard(self, reshard: &Reshard, columns: Option<&mut Columns>, shown: &mut [f32]) -> Result<(), PeerLost> {
        let columns = columns.expect("only a share of a network has reshards");
        let operands = Operands {
            from: Images {
                map: self.segment.values[0].map,
                data: self.x,
            },
            after: self.segment.values[1].map,
            to: &mut self.kept.values[0],
            space: shown,
        };
        columns.forward(reshard, operands)?;
        self.clock.lap(self.segment.head_layers(), Direction::Forward);
        Ok(())
    }

    /// A segment of feature maps: `head(x, y, scratch)` for some images, then the operations behind the head.
    fn maps(self, head: impl Fn(&[f32], &mut [f32], &mut [f32]) + Sync) {
        let Self {
            work,
            segment,
            x,
            kept,
            clock,
            ..
        } = self;
        // Images are independent here: pieces smaller than chunks keep more threads busy.
        let chunks = work.chunks().iter().cloned();
        let parts: Vec<_> = chunks
            .flat_map(|chunk| steps(chunk, segment.images_forward()))
            .collect();
        work.cpu
            .each_range(&parts, kept.rows(segment), |images, (mut values, mut argmax)| {
                let mut scratch = work.cpu.scratch.of(work.cpu.threads.worker());
                let mut clock = work.clock();
                let mut rest = &mut scratch[..];
                let mut outputs = Outputs::default();
                for ((here, rows), value) in outputs.values.iter_mut().zip(&mut values).zip(&segment.values[1..]) {
                    let Some(rows) = rows else { break };
                    *here = if value.kept {
                        rows.take(images.len())
                    } else {
                        let (part, after) = rest.split_at_mut(images.len() * value.map.len());
                        rest = after;
                        part
                    };
                }
                for (here, rows) in outputs.argmax.iter_mut().zip(argmax.iter_mut().flatten()) {
                    *here = rows.take(images.len());
                }
                let x = rows_of(x, &images, segment.input());
                if segment.head != Head::None {
                    head(x, outputs.values[0], rest);
                    clock.lap(segment.head_layers(), Direction::Forward);
                }
                segment.fused_forward(work.images(&images), x, &mut outputs, rest, &mut clock);
            });
        clock.share();
    }
}

impl Work<'_> {
    /// The operations behind a fully connected layer, in place.
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
}
