//! A network with its memory, ready to train.

use std::sync::Arc;

use super::buffers::Buffers;
use super::timing::{Clock, Timings};
use super::{Direction, Memory, ModelError, Parameter, Plan, Spec, init};
use crate::config::compute::Method;
use crate::config::model::Layer;
use crate::devices::cpu::{Cpu, Threads};
use crate::ops::softmax::Loss;
use crate::ops::{Shape, sgd, softmax};

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

/// A network on the CPU for batches of a fixed size.
///
/// A training step is [`input_mut`](Self::input_mut), [`forward`](Self::forward), [`loss`](Self::loss),
/// [`backward`](Self::backward), [`update`](Self::update). Nothing of it depends on the number of threads.
#[derive(Debug)]
pub struct Network {
    pub(super) spec: Spec,
    pub(super) plan: Plan,
    pub(super) cpu: Cpu,
    pub(super) buffers: Buffers,
    pub(super) parameters: Vec<Parameter>,
    pub(super) pass: Pass,
    pub(super) rows: usize,
    pub(super) first_row: usize,
    pub(super) timings: Option<Timings>,
}

impl Network {
    /// Makes all memory for batches of `batch` images, whose convolutions are computed by `method`, and draws the initial
    /// weights from `seed`.
    pub fn new(
        layers: &[Layer],
        input: Shape,
        classes: usize,
        batch: usize,
        method: Method,
        threads: Arc<Threads>,
        seed: u64,
    ) -> Result<Self, ModelError> {
        if batch == 0 {
            return Err(ModelError::Zero { what: "the batch" });
        }
        let spec = Spec::new(layers, input, classes)?;
        let plan = Plan::new(&spec, batch, method);
        let parameters = start(&spec, &threads, seed);
        let buffers = Buffers::new(&spec, &plan);
        let cpu = Cpu::new(threads, plan.scratch);
        Ok(Self {
            spec,
            plan,
            cpu,
            buffers,
            parameters,
            pass: Pass::Evaluate,
            rows: 0,
            first_row: 0,
            timings: None,
        })
    }

    /// The layers and their shapes.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Images of a batch.
    pub fn batch(&self) -> usize {
        self.plan.chunks.batch()
    }

    /// The input to fill: `[batch][C][H][W]`. Values must be finite, in rows of weight 0 too.
    pub fn input_mut(&mut self) -> &mut [f32] {
        &mut self.buffers.input
    }

    /// Where this network's rows begin in the batch of the whole run (0 by default): dropout masks go by that number.
    pub fn set_first_row(&mut self, first_row: usize) {
        self.first_row = first_row;
    }

    /// Softmax of the newest forward pass: `[rows][classes]`.
    pub fn probabilities(&self) -> &[f32] {
        &self.buffers.probabilities[..self.rows * self.spec.classes]
    }

    /// The scores before the softmax: `[rows][classes]`.
    pub fn logits(&self) -> &[f32] {
        &self.buffers.logits()[..self.rows * self.spec.classes]
    }

    /// The loss of the newest forward pass; its gradient is averaged over the rows of weight 1.
    pub fn loss(&mut self, labels: &[u32], weights: &[f32]) -> Loss {
        let present = weights.iter().take(self.rows).filter(|weight| **weight != 0.0).count() as u32;
        self.loss_over(labels, weights, present)
    }

    /// As [`loss`](Self::loss), with the gradient divided by `present`: the present rows of the whole run's batch, of
    /// which this network may have only a part.
    pub fn loss_over(&mut self, labels: &[u32], weights: &[f32], present: u32) -> Loss {
        let (rows, classes) = (self.rows, self.spec.classes);
        assert!(
            labels.len() >= rows && weights.len() >= rows,
            "a label and a weight for each of {rows} rows"
        );
        let (labels, weights) = (&labels[..rows], &weights[..rows]);
        let batch = self.batch();
        let mut clock = Clock::start(self.timings.as_ref(), 1);
        let Buffers {
            stretches,
            probabilities,
            gradients: [gradient, _],
            ..
        } = &mut self.buffers;
        let (dz, beyond) = gradient[..batch * classes].split_at_mut(rows * classes);
        beyond.fill(0.0);
        softmax::cpu::backward(probabilities, classes, labels, weights, present, dz);
        let loss = stretches.last().map_or_else(Loss::default, |kept| {
            softmax::cpu::loss(kept.last(), probabilities, classes, labels, weights)
        });
        let after = self.spec.layers.len();
        clock.lap(after..after + 1, Direction::BackwardData);
        loss
    }

    /// One step of the solver, with a rate for each parameter in the order of [`parameters`](Self::parameters).
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
        let mut clock = Clock::start(timings.as_ref(), 1);
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
                sgd::cpu::update(cpu, *rate, &mut parameter.value, &mut parameter.momentum, gradient);
                clock.lap(layer..layer + 1, Direction::Update);
            }
        });
    }

    /// Weights and biases, layer by layer.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// To load a checkpoint: values and momentum may change, names and lengths may not.
    pub fn parameters_mut(&mut self) -> &mut [Parameter] {
        &mut self.parameters
    }

    /// Gradients of the newest backward pass, in the order of [`parameters`](Self::parameters).
    pub fn gradients(&self) -> &[Vec<f32>] {
        &self.buffers.parameters
    }

    /// To replace gradients by their sum over devices.
    pub fn gradients_mut(&mut self) -> &mut [Vec<f32>] {
        &mut self.buffers.parameters
    }

    /// Memory that is really held.
    pub fn memory(&self) -> Memory {
        let floats = |part: fn(&Parameter) -> &Vec<f32>| {
            4 * self
                .parameters
                .iter()
                .map(|parameter| part(parameter).capacity())
                .sum::<usize>() as u64
        };
        let mut memory = Memory {
            parameters: floats(|parameter| &parameter.value),
            momentum: floats(|parameter| &parameter.momentum),
            scratch: self.cpu.scratch.bytes(),
            ..Memory::default()
        };
        self.buffers.add_to(&mut memory);
        memory
    }
}

/// The parameters as they start.
fn start(spec: &Spec, threads: &Threads, seed: u64) -> Vec<Parameter> {
    let mut parameters = Vec::new();
    let with_parameters = spec
        .layers
        .iter()
        .filter_map(|layer| Some((&layer.name, layer.start.as_ref()?)));
    for (number, (name, start)) in with_parameters.enumerate() {
        let mut weight = vec![0.0; start.weight.iter().product()];
        init::draw(
            threads,
            seed,
            number as u32,
            init::sigma(start.init, start.fan_in()),
            &mut weight,
        );
        parameters.push(Parameter::new(format!("{name}.weight"), start.weight.clone(), weight));
        let outputs = start.weight[0];
        parameters.push(Parameter::new(
            format!("{name}.bias"),
            vec![outputs],
            vec![start.bias; outputs],
        ));
    }
    parameters
}
