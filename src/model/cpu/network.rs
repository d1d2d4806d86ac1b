//! A network with its memory, ready to train.

use std::ops::Range;
use std::sync::Arc;

use super::buffers::Buffers;
use super::clock::{Clock, Timings};
use super::held::Held;
use super::plan::Plan;
use crate::devices::Sharded;
use crate::devices::cpu::{Cpu, Threads};
use crate::memory::Bytes;
use crate::model::share::Share;
use crate::model::{Direction, Inside, Job, Lap, Memory, ModelError, Parameter, Placement, Spec, Targets};
use crate::ops::conv::Algorithm;
use crate::ops::softmax::Loss;
use crate::ops::{sgd, softmax};

/// What a forward pass is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Training: dropout draws the masks of this step.
    Train {
        /// The run's seed.
        seed: u64,
        /// The number of the step.
        step: u32,
    },
    /// Evaluation: dropout scales by 1 − p.
    Evaluate,
}

/// A network, or a share of one, for batches of a fixed size.
///
/// A training step is [`copy_rows`](Self::copy_rows), [`forward`](Self::forward), [`loss`](Self::loss),
/// [`backward`](Self::backward), [`update`](Self::update). No result depends on the number of threads.
#[derive(Debug)]
pub struct Network {
    pub(super) spec: Spec,
    pub(super) plan: Plan,
    pub(super) cpu: Cpu,
    pub(super) buffers: Buffers,
    /// Weights and biases, layer by layer.
    pub(super) parameters: Vec<Held>,
    pub(super) pass: Pass,
    /// How many rows were copied.
    pub(super) rows: usize,
    /// The number of the first of this device's rows in the batch of the whole run.
    pub(super) first_row: usize,
    pub(super) timings: Option<Timings>,
}

impl Network {
    /// Allocates all memory of the device at `placement`, with weights of zero.
    pub fn new(job: &Job<'_>, placement: Placement, threads: Arc<Threads>) -> Result<Self, ModelError> {
        if job.batch == 0 {
            return Err(ModelError::Zero { what: "the batch" });
        }
        let spec = placement.spec(job.spec)?;
        let plan = Plan::new(placement, &spec, job.batch, job.method);
        let parameters = spec.parameter_specs().map(|of| Held::new(Share::new(placement, &of)));
        let parameters = parameters.collect::<Result<_, _>>()?;
        let buffers = Buffers::new(&spec, &plan)?;
        let cpu = Cpu::new(threads, plan.scratch)?;
        Ok(Self {
            spec,
            plan,
            cpu,
            buffers,
            parameters,
            pass: Pass::Evaluate,
            rows: 0,
            first_row: placement.rows(job.batch).start,
            timings: None,
        })
    }

    /// Takes this device's share of whole parameters, which must be those of this network, in its order.
    pub fn load(&mut self, whole: &[Parameter]) {
        assert_eq!(whole.len(), self.parameters.len(), "all parameters");
        self.parameters
            .iter_mut()
            .zip(whole)
            .for_each(|(own, whole)| own.load(whole));
    }

    /// Copies what this device updates into whole parameters.
    pub fn store(&self, whole: &mut [Parameter]) {
        assert_eq!(whole.len(), self.parameters.len(), "all parameters");
        self.parameters
            .iter()
            .zip(whole)
            .for_each(|(own, whole)| own.store(whole));
    }

    /// This device's rows in the batch of the whole run.
    fn own_rows(&self) -> Range<usize> {
        self.first_row..self.first_row + self.batch()
    }

    /// Images per batch on this device.
    fn batch(&self) -> usize {
        self.plan.chunks.batch()
    }

    /// Copies this device's rows into its input, from the first `in_use` rows of the batch of the whole run. Values
    /// must be finite, also in rows of weight 0.
    pub fn copy_rows(&mut self, rows: &[u8], in_use: usize) {
        let own = self.own_rows();
        let own = own.start.min(in_use)..own.end.min(in_use);
        self.rows = own.len();
        if own.is_empty() {
            return;
        }
        let floats: &[f32] = bytemuck::cast_slice(rows);
        // Rows in the slot are padded to whole words, rows of the network are not.
        let rows = floats.chunks_exact(floats.len() / in_use);
        let len = self.spec.input.len();
        let input = self.buffers.input.chunks_exact_mut(len);
        for (to, from) in input.zip(rows.skip(own.start).take(own.len())) {
            to.copy_from_slice(&from[..len]);
        }
    }

    /// Softmax of the latest forward pass: `[rows][classes]`.
    pub fn probabilities(&self) -> &[f32] {
        &self.buffers.probabilities[..self.rows * self.spec.classes]
    }

    /// The loss of the latest forward pass over this device's rows. Its gradient is averaged over the present rows in
    /// the batch of the whole run.
    pub fn loss(&mut self, targets: &Targets) -> Loss {
        let (rows, classes) = (self.rows, self.spec.classes);
        let first = self.first_row.min(targets.labels.len());
        let (labels, weights) = (&targets.labels[first..], &targets.weights[first..]);
        assert!(labels.len() >= rows, "a label for each of {rows} rows");
        let (labels, weights) = (&labels[..rows], &weights[..rows]);
        let batch = self.batch();
        let mut clock = Clock::start(self.timings.as_ref());
        let Buffers {
            segments,
            probabilities,
            gradients: [gradient, _],
            ..
        } = &mut self.buffers;
        let (dz, beyond) = gradient[..batch * classes].split_at_mut(rows * classes);
        beyond.fill(0.0);
        softmax::cpu::backward(probabilities, classes, labels, weights, targets.present, dz);
        let logits = segments.last().map_or(&[][..], |kept| kept.last());
        // By halves, so that the sum is the same if two devices have one half each.
        let mut loss = Loss::default();
        for half in self.plan.chunks.halves() {
            let range = half.start.min(rows)..half.end.min(rows);
            let places = range.start * classes..range.end * classes;
            let (labels, weights) = (&labels[range.clone()], &weights[range]);
            let (logits, probabilities) = (&logits[places.clone()], &probabilities[places]);
            loss = loss.and(softmax::cpu::loss(logits, probabilities, classes, labels, weights));
        }
        let after = self.spec.layers.len();
        clock.lap(after..after + 1, Direction::BackwardData);
        loss
    }

    /// One step of the solver on this device's parameters, with one rate per parameter. If other devices have the same
    /// parameters, update [`sharded`](Self::sharded) instead.
    pub fn update(&mut self, rates: &[sgd::Rate]) {
        let Self {
            parameters,
            buffers,
            cpu,
            spec,
            timings,
            ..
        } = self;
        assert_eq!(rates.len(), parameters.len(), "one rate for each parameter");
        let mut clock = Clock::start(timings.as_ref());
        // Weights and biases of a layer follow one another.
        let layers = spec
            .layers
            .iter()
            .enumerate()
            .filter(|(_, layer)| layer.start.is_some());
        let layers = layers.flat_map(|(index, _)| [index; 2]);
        cpu.threads.install(|| {
            let each = parameters.iter_mut().zip(&buffers.parameters).zip(rates).zip(layers);
            for (((parameter, gradient), rate), layer) in each {
                let own = parameter.share.local();
                let value = &mut parameter.value[own.clone()];
                sgd::cpu::update(cpu, *rate, value, &mut parameter.momentum, &gradient[own]);
                clock.lap(layer..layer + 1, Direction::Update);
            }
        });
    }

    /// All parameters, for an update together with the other devices that have the same ones.
    pub fn sharded(&mut self) -> impl Iterator<Item = Sharded<'_, [f32]>> {
        let gradients = self.buffers.parameters.iter_mut();
        gradients
            .zip(&mut self.parameters)
            .map(|(gradient, parameter)| Sharded {
                gradient: &mut gradient[..],
                value: &mut parameter.value[..],
                memory: &mut parameter.momentum[..],
            })
    }

    /// From now on the passes measure how long each piece of their work takes.
    pub fn time_passes(&mut self) {
        self.timings = Some(Timings::default());
    }

    /// The laps since the last call, in the order of the work.
    pub fn take_laps(&mut self) -> Vec<Lap> {
        let timings = self.timings.as_mut().map(std::mem::take).unwrap_or_default();
        let mut laps = timings.into_laps();
        for lap in &mut laps {
            let algorithm = self.plan.algorithm(lap.layers.start, lap.direction);
            lap.algorithm = algorithm.map(Algorithm::name);
        }
        laps
    }

    /// Memory that is really allocated.
    pub fn memory(&self) -> Memory {
        let floats = |part: fn(&Held) -> &Vec<f32>| {
            let parts = self.parameters.iter().map(part);
            parts.map(|floats| Bytes::of::<f32>(floats.capacity())).sum()
        };
        let own = Memory {
            parameters: floats(|parameter| &parameter.value),
            momentum: floats(|parameter| &parameter.momentum),
            scratch: self.cpu.scratch.bytes(),
            ..Memory::default()
        };
        [own, self.buffers.memory()].into_iter().sum()
    }

    /// What it holds after its latest pass.
    pub fn inside(&self) -> Inside {
        Inside {
            logits: self.buffers.logits()[..self.rows * self.spec.classes].to_vec(),
            values: self.parameters.iter().map(|held| held.value.clone()).collect(),
            gradients: self.buffers.parameters.clone(),
        }
    }
}
