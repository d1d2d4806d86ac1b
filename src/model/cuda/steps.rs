//! The layers as steps of a GPU, and the maps between them.

use super::weights::WeightLayout;
use crate::devices::cuda::{Layout, Region};
use crate::model::{Job, LayerSpec, ModelError, Operation};
use crate::ops::conv::cuda::{BiasKernel, Blocks, Kernel as Product};
use crate::ops::lanes::Laid;
use crate::ops::{dropout, lrn, pool};

/// What a layer does.
#[derive(Clone, Copy, Debug)]
pub enum Work {
    /// A convolution or a fully connected layer.
    Product {
        /// Its three passes.
        kernel: Product,
        /// The sum of its gradient over places.
        bias: BiasKernel,
        /// The number of its weights among the parameters; its biases follow.
        parameter: usize,
        /// Whether the next layer, a `ReLU`, is a part of it.
        relu: bool,
        /// Which floats of a row of weights are taps, if not all.
        mask: Option<Region>,
    },
    /// max(0, x), in place.
    Relu,
    /// tanh(x), in place, or of a copy if what is there is still needed.
    Tanh {
        /// Whether it works on a copy.
        copies: bool,
    },
    /// Normalization.
    Lrn(lrn::cuda::Kernel),
    /// Max pooling.
    Pool(pool::cuda::Kernel, Region),
    /// Dropout, in place.
    Dropout(dropout::cuda::Kernel),
}

/// A layer, or a layer with its `ReLU`.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// The layer's number.
    pub layer: usize,
    /// What it does.
    pub work: Work,
    /// Which value it reads.
    pub from: usize,
    /// Which value it writes.
    pub to: usize,
}

impl Step {
    /// Floats of the workspace that it needs.
    pub fn workspace(&self) -> usize {
        match self.work {
            Work::Product { kernel, bias, .. } => kernel.workspace().max(bias.workspace()),
            _ => 0,
        }
    }
}

/// A map of the whole batch.
#[derive(Clone, Copy, Debug)]
pub struct Value {
    /// Its layout.
    pub laid: Laid,
    /// Its place.
    pub region: Region,
}

/// The steps of a network.
pub struct Steps {
    /// The maps; the first is the network's input.
    pub values: Vec<Value>,
    /// What the layers do, in their order.
    pub order: Vec<Step>,
    /// How each parameter lies.
    pub layouts: Vec<WeightLayout>,
}

impl Steps {
    /// The steps of `job`, whose input lies as `input` says. Their maps are added to `layout`.
    pub fn new(job: &Job<'_>, input: Laid, layout: &mut Layout) -> Result<Self, ModelError> {
        let mut maps = Maps {
            layout,
            batch: job.batch,
            values: Vec::new(),
        };
        maps.add(input);
        let (mut steps, mut layouts) = (Vec::new(), Vec::new());
        let mut layers = job.spec.layers.iter().enumerate().peekable();
        while let Some((number, layer)) = layers.next() {
            let relu = is_product(layer)
                && layers
                    .next_if(|(_, next)| matches!(next.operation, Operation::Relu))
                    .is_some();
            let step = maps.step(job, (number, layer), relu, &steps, &mut layouts)?;
            steps.push(step);
        }
        let values = maps.values;
        Ok(Self {
            values,
            order: steps,
            layouts,
        })
    }
}

fn is_product(layer: &LayerSpec) -> bool {
    matches!(layer.operation, Operation::Conv(_) | Operation::Linear(_))
}

/// Maps, as they are added layer by layer.
struct Maps<'a> {
    layout: &'a mut Layout,
    batch: usize,
    values: Vec<Value>,
}

impl Maps<'_> {
    fn add(&mut self, laid: Laid) -> usize {
        let region = self.layout.floats(self.batch * laid.floats());
        self.values.push(Value { laid, region });
        self.values.len() - 1
    }

    fn step(
        &mut self,
        job: &Job<'_>,
        (number, layer): (usize, &LayerSpec),
        relu: bool,
        before: &[Step],
        layouts: &mut Vec<WeightLayout>,
    ) -> Result<Step, ModelError> {
        let from = self.values.len() - 1;
        let not_on_gpu = |why: &str| ModelError::NotOnGpu {
            layer: layer.name.clone(),
            why: why.to_string(),
        };
        let (work, laid) = match &layer.operation {
            Operation::Conv(_) | Operation::Linear(_) => {
                let kernel = self.product(&layer.operation, number, layouts.is_empty());
                if !kernel.fits() {
                    return Err(not_on_gpu("its maps or weights are too large; lower staging.batch"));
                }
                let parameter = layouts.len();
                layouts.extend(layouts_of(layer, &kernel, self.values[from].laid));
                let laid = Laid::new(layer.output);
                (self.product_work(kernel, laid, parameter, relu), Some(laid))
            }
            Operation::Relu => (Work::Relu, None),
            Operation::Tanh => {
                // The slope of a tanh is computed from its output.
                let is_tanh = |step: &Step| step.to == from && matches!(step.work, Work::Tanh { .. });
                let copies = before.iter().any(is_tanh);
                (Work::Tanh { copies }, copies.then_some(self.values[from].laid))
            }
            Operation::Lrn(geometry) => {
                let kernel = lrn::cuda::Kernel::new(*geometry, self.batch);
                if !kernel.fits() {
                    return Err(not_on_gpu(
                        "it normalizes over more channels than a block of threads can hold",
                    ));
                }
                (Work::Lrn(kernel), Some(Laid::new(layer.output)))
            }
            Operation::Pool(geometry) => {
                let kernel = pool::cuda::Kernel::new(*geometry, self.batch);
                let argmax = self.layout.bytes(kernel.argmax());
                (Work::Pool(kernel, argmax), Some(Laid::new(layer.output)))
            }
            Operation::Dropout { p, number } => {
                let kernel = dropout::cuda::Kernel {
                    shape: layer.input,
                    images: self.batch,
                    p: *p,
                    number: *number,
                    seed: job.seed,
                };
                (Work::Dropout(kernel), None)
            }
            Operation::Reshard(_) => return Err(not_on_gpu("it exchanges maps between devices")),
        };
        let to = laid.map_or(from, |laid| self.add(laid));
        Ok(Step {
            layer: number,
            work,
            from,
            to,
        })
    }

    /// What a layer with parameters does, of which `laid` is the output.
    fn product_work(&mut self, kernel: Product, laid: Laid, parameter: usize, relu: bool) -> Work {
        let bias = BiasKernel {
            rows: self.batch * laid.places(),
            lanes: laid.lanes,
        };
        let mask = kernel.mask().map(|mask| self.layout.bytes(mask.len()));
        Work::Product {
            kernel,
            bias,
            parameter,
            relu,
            mask,
        }
    }

    fn product(&self, operation: &Operation, number: usize, is_first: bool) -> Product {
        let input = self.values[self.values.len() - 1].laid;
        match operation {
            Operation::Conv(conv) => match Blocks::of(conv).filter(|_| number == 0) {
                Some(blocks) => Product::by_blocks(conv, blocks, self.batch),
                None => Product::new(conv, self.batch, is_first),
            },
            Operation::Linear(linear) => Product::linear(input, linear.outputs, self.batch, is_first),
            _ => unreachable!("it has weights"),
        }
    }
}

/// How the weights and the biases of a layer lie.
fn layouts_of(layer: &LayerSpec, kernel: &Product, input: Laid) -> [WeightLayout; 2] {
    let (channels, height, width, lanes) = match &layer.operation {
        Operation::Conv(conv) => (conv.group_inputs(), conv.kernel, conv.kernel, kernel.inputs()),
        _ => (layer.input.channels, layer.input.height, layer.input.width, input.lanes),
    };
    let weights = WeightLayout {
        outputs: layer.output.channels,
        channels,
        height,
        width,
        lanes,
        row: kernel.row(),
        blocks: kernel.blocks(),
    };
    let bias = WeightLayout::bias(layer.output.channels, Laid::new(layer.output).lanes);
    [weights, bias]
}
