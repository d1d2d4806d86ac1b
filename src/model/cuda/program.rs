//! The launches of a step, in order. They are made once: what changes from step to step is in the GPU's memory.

use std::ops::Range;

use super::plan::Plan;
use super::steps::{Step, Work};
use crate::devices::cuda::{Address, CudaError, DeviceMemory, Kernels, Launch, Region};
use crate::model::Direction;
use crate::ops::conv::cuda::Arrays;
use crate::ops::{relu, sgd, softmax, tanh};

/// Something that a stream does.
#[derive(Clone, Debug)]
pub enum Task {
    /// A kernel.
    Launch(Launch),
    /// A copy from one region to another.
    Copy(Region, Region),
}

/// A task, and what it is a part of.
#[derive(Clone, Debug)]
pub struct Piece {
    /// The task.
    pub task: Task,
    /// The layers that it computes.
    pub layers: Range<usize>,
    /// What it computes of them.
    pub direction: Direction,
}

/// All launches of a device.
#[derive(Clone, Debug)]
pub struct Program {
    /// Makes the network's input of the rows in one of the two places.
    pub input: [Piece; 2],
    /// A training step: forward, loss, backward, update.
    pub train: Vec<Piece>,
    /// An evaluation: forward, softmax.
    pub evaluate: Vec<Piece>,
}

impl Program {
    /// The launches of `plan`, whose regions are in `memory`.
    pub fn new(plan: &Plan, memory: &DeviceMemory, kernels: &mut Kernels) -> Result<Self, CudaError> {
        let mut maker = Maker {
            plan,
            memory,
            kernels,
            pieces: Vec::new(),
        };
        let input = [maker.input(0)?, maker.input(1)?];
        maker.forward(true)?;
        maker.loss()?;
        maker.backward()?;
        maker.update()?;
        let train = std::mem::take(&mut maker.pieces);
        maker.forward(false)?;
        maker.probabilities()?;
        let evaluate = maker.pieces;
        Ok(Self { input, train, evaluate })
    }
}

/// Makes the launches, layer by layer.
struct Maker<'a> {
    plan: &'a Plan,
    memory: &'a DeviceMemory,
    kernels: &'a mut Kernels,
    pieces: Vec<Piece>,
}

impl Maker<'_> {
    fn input(&mut self, turn: usize) -> Result<Piece, CudaError> {
        let plan = self.plan;
        let arrays = (self.value(0), self.at(plan.rows[turn]), self.at(plan.mean));
        let launch = plan.input.launch(self.kernels, plan.batch, arrays)?;
        Ok(Piece {
            task: Task::Launch(launch),
            layers: 0..0,
            direction: Direction::Forward,
        })
    }

    fn forward(&mut self, is_training: bool) -> Result<(), CudaError> {
        for step in &self.plan.steps {
            let (x, y, chunks) = (self.value(step.from), self.value(step.to), self.chunks(step.to));
            let launches = match &step.work {
                Work::Product { kernel, relu, .. } => kernel.forward(self.kernels, self.arrays(step, x, y), *relu)?,
                Work::Relu => vec![relu::cuda::forward(self.kernels, y, chunks)?],
                Work::Tanh { copies } => {
                    if *copies {
                        let (from, to) = (self.plan.values[step.from].region, self.plan.values[step.to].region);
                        self.add(step, Direction::Forward, [Task::Copy(from, to)]);
                    }
                    vec![tanh::cuda::forward(self.kernels, y, chunks)?]
                }
                Work::Lrn(kernel) => vec![kernel.forward(self.kernels, x, y)?],
                Work::Pool(kernel, argmax) => vec![kernel.forward(self.kernels, x, y, self.at(*argmax))?],
                Work::Dropout(kernel) if is_training => {
                    vec![kernel.train(self.kernels, y, self.at(self.plan.block.whole))?]
                }
                Work::Dropout(kernel) => vec![kernel.evaluate(self.kernels, y)?],
            };
            self.add(step, Direction::Forward, launches.into_iter().map(Task::Launch));
        }
        Ok(())
    }

    /// The loss, and the gradient of the last layer's output, in the first of the two maps of gradients.
    fn loss(&mut self) -> Result<(), CudaError> {
        let plan = self.plan;
        let arrays = softmax::cuda::Arrays {
            z: self.value(plan.values.len() - 1),
            dz: self.at(plan.gradients[0]),
            losses: self.at(plan.losses),
            loss: self.at(plan.loss),
            labels: self.at(plan.block.labels),
            weights: self.at(plan.block.weights),
            step: self.at(plan.block.whole),
        };
        let launches = self.softmax().backward(self.kernels, arrays)?;
        self.add_after_last(Direction::BackwardData, launches);
        Ok(())
    }

    fn backward(&mut self) -> Result<(), CudaError> {
        let first = self
            .plan
            .steps
            .iter()
            .position(|step| matches!(step.work, Work::Product { .. }));
        let mut turn = 0;
        // Nothing below the first layer with parameters needs a gradient.
        for step in self.plan.steps.iter().skip(first.unwrap_or(0)).rev() {
            let [dy, dx] = [turn, 1 - turn].map(|turn| self.at(self.plan.gradients[turn]));
            let (x, y, chunks) = (self.value(step.from), self.value(step.to), self.chunks(step.to));
            let data = match &step.work {
                Work::Product { kernel, relu, .. } => {
                    if *relu {
                        let launch = relu::cuda::backward(self.kernels, dy, y, chunks)?;
                        self.pieces.push(Piece {
                            task: Task::Launch(launch),
                            layers: step.layer + 1..step.layer + 2,
                            direction: Direction::BackwardData,
                        });
                    }
                    self.parameter_gradients(step, x, dy)?;
                    turn = 1 - turn;
                    kernel.data(self.kernels, self.arrays(step, dx, dy))?
                }
                Work::Relu => vec![relu::cuda::backward(self.kernels, dy, y, chunks)?],
                Work::Tanh { .. } => vec![tanh::cuda::backward(self.kernels, dy, y, chunks)?],
                Work::Lrn(kernel) => {
                    turn = 1 - turn;
                    vec![kernel.backward(self.kernels, x, dy, dx)?]
                }
                Work::Pool(kernel, argmax) => {
                    turn = 1 - turn;
                    vec![kernel.backward(self.kernels, dy, self.at(*argmax), dx)?]
                }
                Work::Dropout(kernel) => vec![kernel.train(self.kernels, dy, self.at(self.plan.block.whole))?],
            };
            self.add(step, Direction::BackwardData, data.into_iter().map(Task::Launch));
        }
        Ok(())
    }

    /// The gradients of a layer's weights and biases.
    fn parameter_gradients(&mut self, step: &Step, x: Address, dy: Address) -> Result<(), CudaError> {
        let Work::Product {
            kernel,
            bias,
            parameter,
            mask,
            ..
        } = &step.work
        else {
            return Ok(());
        };
        let all = self.plan.parameter_gradients;
        let [dw, db] = [*parameter, *parameter + 1].map(|number| self.at(all.part(self.plan.parts[number].clone())));
        let workspace = self.at(self.plan.workspace);
        let arrays = Arrays {
            w: dw,
            b: db,
            ..self.arrays(step, x, dy)
        };
        let mask = mask.map(|mask| self.at(mask));
        let mut launches = kernel.weights_gradient(self.kernels, arrays, mask)?;
        launches.extend(bias.launches(self.kernels, dy, db, workspace)?);
        let tasks = launches.into_iter().map(Task::Launch);
        self.add(step, Direction::BackwardWeights, tasks);
        Ok(())
    }

    fn update(&mut self) -> Result<(), CudaError> {
        let plan = self.plan;
        let arrays = sgd::cuda::Arrays {
            w: self.at(plan.parameters),
            v: self.at(plan.momentum),
            g: self.at(plan.parameter_gradients),
            records: self.at(plan.block.records),
            step: self.at(plan.block.whole),
        };
        let (records, blocks) = &plan.records;
        let launch = sgd::cuda::update(self.kernels, records.len(), *blocks, arrays)?;
        let last = plan.steps.last().map_or(0, |step| step.layer);
        self.pieces.push(Piece {
            task: Task::Launch(launch),
            layers: 0..last + 1,
            direction: Direction::Update,
        });
        Ok(())
    }

    fn probabilities(&mut self) -> Result<(), CudaError> {
        let (z, p) = (self.value(self.plan.values.len() - 1), self.at(self.plan.probabilities));
        let launch = self.softmax().forward(self.kernels, z, p)?;
        self.add_after_last(Direction::Forward, [launch]);
        Ok(())
    }

    fn softmax(&self) -> softmax::cuda::Kernel {
        softmax::cuda::Kernel {
            rows: self.plan.batch,
            classes: self.plan.classes,
        }
    }

    fn add(&mut self, step: &Step, direction: Direction, tasks: impl IntoIterator<Item = Task>) {
        let with_relu = matches!(step.work, Work::Product { relu: true, .. }) && direction == Direction::Forward;
        let end = step.layer + 1 + usize::from(with_relu);
        let pieces = tasks.into_iter().map(|task| Piece {
            task,
            layers: step.layer..end,
            direction,
        });
        self.pieces.extend(pieces);
    }

    /// Adds launches of the loss, which counts as the layer after the last.
    fn add_after_last(&mut self, direction: Direction, launches: impl IntoIterator<Item = Launch>) {
        let after = self.plan.steps.last().map_or(0, |step| step.layer + 1);
        let pieces = launches.into_iter().map(|launch| Piece {
            task: Task::Launch(launch),
            layers: after..after + 1,
            direction,
        });
        self.pieces.extend(pieces);
    }

    /// The arrays of a layer's passes, with its input (or the gradient of it) at `x` and its output at `y`.
    fn arrays(&self, step: &Step, x: Address, y: Address) -> Arrays {
        let parameter = match step.work {
            Work::Product { parameter, .. } => parameter,
            _ => 0,
        };
        let [w, b] = [parameter, parameter + 1].map(|number| {
            let part = self.plan.parts[number].clone();
            self.at(self.plan.parameters.part(part))
        });
        Arrays {
            x,
            y,
            w,
            b,
            workspace: self.at(self.plan.workspace),
        }
    }

    fn at(&self, region: Region) -> Address {
        self.memory.at(region)
    }

    fn value(&self, number: usize) -> Address {
        self.at(self.plan.values[number].region)
    }

    /// Chunks of a value of the whole batch.
    fn chunks(&self, number: usize) -> usize {
        let laid = self.plan.values[number].laid;
        self.plan.batch * laid.places() * laid.chunks()
    }
}
