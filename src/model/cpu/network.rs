//! A network with its memory, ready to train.

use std::ops::Range;
use std::sync::Arc;

use super::buffers::Buffers;
use super::clock::{Clock, Timings};
use super::columns::Whole;
use crate::config::compute::Method;
use crate::config::model::Layer;
use crate::devices::Sharded;
use crate::devices::cpu::{Cpu, Threads};
use crate::memory::{Bytes, NoMemory, zeroed};
use crate::model::share::Share;
use crate::model::{Direction, Lap, Memory, ModelError, Parameter, Placement, Plan, Spec, init};
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
/// [`backward`](Self::backward), [`update`](Self::update). No result depends on the number of threads.
#[derive(Debug)]
pub struct Network {
    pub(super) spec: Spec,
    pub(super) plan: Plan,
    pub(super) cpu: Cpu,
    pub(super) buffers: Buffers,
    pub(super) parameters: Vec<Parameter>,
    /// One per parameter.
    pub(super) shares: Vec<Share>,
    pub(super) pass: Pass,
    pub(super) rows: usize,
    pub(super) first_row: usize,
    pub(super) timings: Option<Timings>,
}

impl Network {
    /// Allocates all memory for batches of `batch` images and draws the initial weights from `seed`. `method` says how
    /// convolutions are computed.
    pub fn new(
        layers: &[Layer],
        input: Shape,
        classes: usize,
        batch: usize,
        method: Method,
        threads: Arc<Threads>,
        seed: u64,
    ) -> Result<Self, ModelError> {
        let spec = Spec::new(layers, input, classes)?;
        Self::on(Placement::ALONE, &spec, batch, method, threads, seed)
    }

    /// The same for one of several devices, which has a share of each batch, or of the network.
    pub fn on(
        placement: Placement,
        whole: &Spec,
        batch: usize,
        method: Method,
        threads: Arc<Threads>,
        seed: u64,
    ) -> Result<Self, ModelError> {
        if batch == 0 {
            return Err(ModelError::Zero { what: "the batch" });
        }
        let spec = placement.spec(whole)?;
        let plan = Plan::on(placement, &spec, batch, method);
        let shares: Vec<Share> = spec
            .layers
            .iter()
            .flat_map(|layer| Share::of_layer(placement, layer))
            .collect();
        let parameters = start(&spec, &shares, &threads, seed)?;
        let buffers = Buffers::new(&spec, &plan)?;
        let cpu = Cpu::new(threads, plan.scratch)?;
        Ok(Self {
            spec,
            plan,
            cpu,
            buffers,
            parameters,
            shares,
            pass: Pass::Evaluate,
            rows: 0,
            first_row: placement.rows(batch).start,
            timings: None,
        })
    }

    /// The layers and their shapes.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// The threads on which it runs.
    pub fn threads(&self) -> &Arc<Threads> {
        &self.cpu.threads
    }

    /// This device's rows in the batch of the whole run.
    pub fn own_rows(&self) -> Range<usize> {
        self.first_row..self.first_row + self.batch()
    }

    /// Images per batch on this device.
    pub fn batch(&self) -> usize {
        self.plan.chunks.batch()
    }

    /// The input to fill: `[batch][C][H][W]`. Values must be finite, also in rows of weight 0.
    pub fn input_mut(&mut self) -> &mut [f32] {
        &mut self.buffers.input
    }

    /// Computes the first `rows` rows of the input. The rows behind them have no influence on the result.
    pub fn forward(&mut self, pass: Pass, rows: usize) {
        match self.forward_through(pass, rows, &mut Whole) {
            Ok(()) => {}
            Err(never) => match never {},
        }
    }

    /// Softmax of the latest forward pass: `[rows][classes]`.
    pub fn probabilities(&self) -> &[f32] {
        &self.buffers.probabilities[..self.rows * self.spec.classes]
    }

    /// The scores before the softmax: `[rows][classes]`.
    pub fn logits(&self) -> &[f32] {
        &self.buffers.logits()[..self.rows * self.spec.classes]
    }

    /// The loss of the latest forward pass. Its gradient is averaged over the rows of weight 1.
    pub fn loss(&mut self, labels: &[u32], weights: &[f32]) -> Loss {
        let present = weights.iter().take(self.rows).filter(|weight| **weight != 0.0).count() as u32;
        self.loss_over(labels, weights, present)
    }

    /// As [`loss`](Self::loss), but with the gradient divided by `present`: the present rows in the batch of the whole run, of
    /// which this network may have only a share.
    pub fn loss_over(&mut self, labels: &[u32], weights: &[f32], present: u32) -> Loss {
        let (rows, classes) = (self.rows, self.spec.classes);
        assert!(
            labels.len() >= rows && weights.len() >= rows,
            "a label and a weight for each of {rows} rows"
        );
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
        softmax::cpu::backward(probabilities, classes, labels, weights, present, dz);
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

    /// Gradients of all parameters, from the latest [`loss`](Network::loss) after a training pass.
    pub fn backward(&mut self) {
        match self.backward_through(&mut Whole) {
            Ok(()) => {}
            Err(never) => match never {},
        }
    }

    /// One step of the solver on this device's parameters, with one rate per parameter in the order of
    /// [`parameters`](Self::parameters). If other devices have the same parameters, update [`sharded`](Self::sharded) instead.
    pub fn update(&mut self, rates: &[sgd::Rate]) {
        let Self {
            parameters,
            shares,
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
            let gradients = buffers.parameters.iter().zip(shares);
            let each = parameters.iter_mut().zip(gradients).zip(rates).zip(layers);
            for (((parameter, (gradient, share)), rate), layer) in each {
                let own = share.local();
                let value = &mut parameter.value[own.clone()];
                sgd::cpu::update(cpu, *rate, value, &mut parameter.momentum, &gradient[own]);
                clock.lap(layer..layer + 1, Direction::Update);
            }
        });
    }

    /// Weights and biases, layer by layer.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
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

    /// Gradients of the latest backward pass, in the order of [`parameters`](Self::parameters).
    pub fn gradients(&self) -> &[Vec<f32>] {
        &self.buffers.parameters
    }

    /// From now on the passes measure how long each piece of their work takes.
    pub fn time_passes(&mut self) {
        self.timings = Some(Timings::default());
    }

    /// The laps since the last call, in the order of the work. Equal pieces are one lap.
    pub fn take_laps(&mut self) -> Vec<Lap> {
        self.timings
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
            .into_laps()
    }

    /// Memory that is really allocated.
    pub fn memory(&self) -> Memory {
        let floats = |part: fn(&Parameter) -> &Vec<f32>| {
            let parts = self.parameters.iter().map(part);
            parts.map(|floats| Bytes::of::<f32>(floats.capacity())).sum()
        };
        let mut memory = Memory {
            parameters: floats(|parameter| &parameter.value),
            momentum: floats(|parameter| &parameter.momentum),
            scratch: self.cpu.scratch.bytes(),
            ..Memory::default()
        };
        self.buffers.count_in(&mut memory);
        memory
    }
}

/// The initial parameters. They are drawn as a whole, so that a device's part does not depend on the placement.
fn start(spec: &Spec, shares: &[Share], threads: &Threads, seed: u64) -> Result<Vec<Parameter>, NoMemory> {
    let mut parameters = Vec::new();
    let with_parameters = spec
        .layers
        .iter()
        .filter_map(|layer| Some((&layer.name, layer.start.as_ref()?)));
    for (number, ((name, start), shares)) in with_parameters.zip(shares.chunks_exact(2)).enumerate() {
        let [of_weight, of_bias] = shares else { continue };
        let mut weight: Vec<f32> = zeroed("parameters", of_weight.shape.iter().product())?;
        let sigma = init::sigma(start.init, start.fan_in());
        init::draw(threads, seed, number as u32, sigma, &mut weight);
        if weight.len() != of_weight.held.len() {
            weight = weight[of_weight.held.clone()].to_vec();
        }
        let bias = vec![start.bias; of_bias.held.len()];
        for (part, value, share) in [("weight", weight, of_weight), ("bias", bias, of_bias)] {
            parameters.push(Parameter {
                name: format!("{name}.{part}"),
                shape: if part == "weight" {
                    start.weight.clone()
                } else {
                    vec![start.weight[0]]
                },
                momentum: zeroed("momentum", share.updated.len())?,
                value,
            });
        }
    }
    Ok(parameters)
}
