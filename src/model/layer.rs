//! One layer of a pass: which operation it is, and on which part of the buffers.

use super::plan::Place;
use super::{Direction, LayerSpec, Operation, Parameter, Pass};
use crate::devices::cpu::Cpu;
use crate::ops::conv::cpu::Saved;
use crate::ops::{Chunks, dropout, relu, tanh};

/// What all layers of a pass share.
#[derive(Clone, Copy)]
pub(super) struct Work<'a> {
    pub(super) cpu: &'a Cpu,
    pub(super) chunks: &'a Chunks,
    pub(super) rows: usize,
    pub(super) first_row: usize,
    pub(super) pass: Pass,
}

impl Work<'_> {
    /// Rows that are worked on: the chunks that hold `rows`.
    fn extent(&self) -> usize {
        self.chunks.holding(self.rows).last().map_or(0, |range| range.end)
    }

    /// y from x.
    pub(super) fn forward(
        &self,
        layer: &LayerSpec,
        place: Place,
        parameters: &[Parameter],
        x: &[f32],
        y: &mut [f32],
        maxima: &mut [u8],
    ) {
        let Self { cpu, chunks, rows, .. } = *self;
        let values = || {
            (
                &parameters[place.parameter].value,
                &parameters[place.parameter + 1].value,
            )
        };
        match &layer.operation {
            Operation::Conv(conv) => {
                let (weight, bias) = values();
                conv.forward(cpu, chunks, rows, x, weight, bias, y, place.rectify);
            }
            Operation::Linear(linear) => {
                let (weight, bias) = values();
                linear.forward(cpu, chunks, x, weight, bias, y, place.rectify);
            }
            Operation::Lrn(lrn) => lrn.forward(cpu, chunks, rows, x, y),
            Operation::Pool(pool) => pool.forward(cpu, chunks, rows, x, y, maxima),
            Operation::Relu | Operation::Tanh | Operation::Dropout(_) => {
                let used = self.extent() * layer.input.len();
                y[..used].copy_from_slice(&x[..used]);
                self.forward_in_place(layer, place, y);
            }
        }
    }

    /// y from x where both are one buffer.
    pub(super) fn forward_in_place(&self, layer: &LayerSpec, place: Place, x: &mut [f32]) {
        let units = layer.input.len();
        let used = &mut x[..self.extent() * units];
        match (&layer.operation, self.pass) {
            (Operation::Relu, _) => relu::cpu::forward(self.cpu, used),
            (Operation::Tanh, _) => tanh::cpu::forward(self.cpu, used),
            (Operation::Dropout(p), Pass::Evaluate) => dropout::cpu::scale(self.cpu, *p, used),
            (Operation::Dropout(p), Pass::Train { .. }) => self.mask(place, *p, units, x),
            _ => {}
        }
    }

    /// dx from dy where both are one buffer, given y.
    pub(super) fn backward_in_place(&self, layer: &LayerSpec, place: Place, y: &[f32], dy: &mut [f32]) {
        let units = layer.input.len();
        let used = &mut dy[..self.extent() * units];
        match (&layer.operation, self.pass) {
            (Operation::Relu, _) => relu::cpu::backward(self.cpu, y, used),
            (Operation::Tanh, _) => tanh::cpu::backward(self.cpu, y, used),
            (Operation::Dropout(p), Pass::Evaluate) => dropout::cpu::scale(self.cpu, *p, used),
            (Operation::Dropout(p), Pass::Train { .. }) => self.mask(place, *p, units, dy),
            _ => {}
        }
    }

    fn mask(&self, place: Place, p: f32, units: usize, x: &mut [f32]) {
        if let Pass::Train { seed, step } = self.pass {
            let masks = dropout::Masks::new(seed, step, place.dropout, p);
            dropout::cpu::mask(self.cpu, self.chunks, self.rows, &masks, self.first_row, units, x);
        }
    }

    /// dx from dy for layers without parameters.
    pub(super) fn backward(&self, layer: &LayerSpec, x: &[f32], maxima: &[u8], dy: &[f32], dx: &mut [f32]) {
        let Self { cpu, chunks, rows, .. } = *self;
        match &layer.operation {
            Operation::Lrn(lrn) => lrn.backward(cpu, chunks, rows, x, dy, dx),
            Operation::Pool(pool) => pool.backward(cpu, chunks, rows, dy, maxima, dx),
            _ => {}
        }
    }

    /// dw, db and, where wanted, dx from dy for layers with parameters. `lap` is told what has just been done.
    #[allow(clippy::too_many_arguments, reason = "the operands of a layer with parameters")]
    pub(super) fn backward_parameters(
        &self,
        layer: &LayerSpec,
        weight: &[f32],
        x: &[f32],
        dy: &[f32],
        [dw, db]: [&mut [f32]; 2],
        partial: &mut [f32],
        dx: Option<&mut [f32]>,
        lap: &mut dyn FnMut(Direction),
    ) {
        let Self { cpu, chunks, rows, .. } = *self;
        match &layer.operation {
            Operation::Conv(conv) => {
                let partial = &mut partial[..chunks.len() * conv.partial()];
                conv.backward(cpu, chunks, rows, Saved { input: x, weight }, dy, partial, dx);
                conv.reduce(cpu, chunks, rows, partial, dw, db);
                lap(Direction::Backward);
            }
            Operation::Linear(linear) => {
                linear.backward_weights(cpu, chunks, x, dy, dw, db);
                lap(Direction::BackwardWeights);
                if let Some(dx) = dx {
                    linear.backward_data(cpu, chunks, weight, dy, dx);
                    lap(Direction::BackwardData);
                }
            }
            _ => {}
        }
    }
}
