//! The passes through the layers, forward and backward.

use super::buffers::Buffers;
use super::layer::Work;
use super::timing::Clock;
use super::{Direction, Network, Pass};
use crate::ops::softmax;

impl Network {
    /// Computes the first `rows` rows of the input; what the rows after hold makes no difference to them.
    pub fn forward(&mut self, pass: Pass, rows: usize) {
        let batch = self.batch();
        assert!(rows <= batch, "{rows} rows in a batch of {batch}");
        (self.pass, self.rows) = (pass, rows);
        // Work goes by whole chunks: rows beyond must hold numbers, and always the same.
        self.buffers.activations[0][rows * self.spec.input.len()..].fill(0.0);
        let Self {
            spec,
            plan,
            cpu,
            buffers,
            parameters,
            first_row,
            timings,
            ..
        } = self;
        let mut clock = Clock::start(timings);
        let work = Work {
            cpu,
            chunks: &plan.chunks,
            rows,
            first_row: *first_row,
            pass,
        };
        cpu.threads.install(|| {
            let layers = spec.layers.iter().zip(&plan.places).zip(&mut buffers.maxima);
            for (index, ((layer, place), maxima)) in layers.enumerate().filter(|(_, ((_, place), _))| !place.done) {
                let (before, after) = buffers.activations.split_at_mut(place.from + 1);
                if place.from == place.to {
                    work.forward_in_place(layer, *place, &mut before[place.from]);
                } else {
                    work.forward(layer, *place, parameters, &before[place.from], &mut after[0], maxima);
                }
                let done = index + if place.rectify { 2 } else { 1 };
                clock.lap(index..done, Direction::Forward);
            }
        });
        if let Some(logits) = buffers.activations.last() {
            let used = rows * spec.classes;
            softmax::cpu::probabilities(&logits[..used], spec.classes, &mut buffers.probabilities[..used]);
            let after = spec.layers.len();
            clock.lap(after..after + 1, Direction::Forward);
        }
    }

    /// Gradients of all parameters, from the newest [`loss`](Network::loss) after a pass for training.
    pub fn backward(&mut self) {
        let Self {
            spec,
            plan,
            cpu,
            buffers,
            parameters,
            first_row,
            pass,
            rows,
            timings,
            ..
        } = self;
        let mut clock = Clock::start(timings);
        let work = Work {
            cpu,
            chunks: &plan.chunks,
            rows: *rows,
            first_row: *first_row,
            pass: *pass,
        };
        let Buffers {
            activations,
            maxima,
            gradients: [a, b],
            parameters: sums,
            partial,
            ..
        } = buffers;
        cpu.threads.install(|| {
            let (mut dy, mut dx) = (a, b);
            for (index, layer) in spec.layers.iter().enumerate().skip(plan.first).rev() {
                let place = plan.places[index];
                if layer.operation.is_elementwise() {
                    work.backward_in_place(layer, place, &activations[place.to], dy);
                    clock.lap(index..index + 1, Direction::BackwardData);
                    continue;
                }
                if layer.start.is_some() {
                    let (dw, db) = sums[place.parameter..].split_at_mut(1);
                    let weight = &parameters[place.parameter].value;
                    let dx = (index > plan.first).then_some(&mut dx[..]);
                    work.backward_parameters(
                        layer,
                        weight,
                        &activations[place.from],
                        dy,
                        [&mut dw[0], &mut db[0]],
                        partial,
                        dx,
                        &mut |direction| clock.lap(index..index + 1, direction),
                    );
                } else {
                    work.backward(layer, &activations[place.from], &maxima[index], dy, dx);
                    clock.lap(index..index + 1, Direction::BackwardData);
                }
                std::mem::swap(&mut dy, &mut dx);
            }
        });
    }
}
