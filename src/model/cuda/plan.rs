//! The memory and the order of the work of a network on a GPU, decided from shapes alone: no GPU is needed for it.

use super::steps::{Step, Steps, Value, Work};
use super::weights::WeightLayout;
use crate::devices::cuda::{ByteRows, Layout, Region};
use crate::devices::row::RowWriter;
use crate::memory::Bytes;
use crate::model::{Job, Memory, ModelError, Operation, Spec};
use crate::ops::conv::cuda::Blocks;
use crate::ops::lanes::{LANES, Laid};
use crate::ops::{Shape, input, peak, sgd, softmax};

/// What the driver may take beside our memory when kernels are loaded.
const OF_DRIVER: Bytes = Bytes::new(64 << 20);

/// The most images of a batch: a launch has so many blocks along its second and third side.
const MOST_IMAGES: usize = 65_535;

/// What changes at each step, copied to the GPU in one piece.
#[derive(Clone, Copy, Debug)]
pub struct StepBlock {
    /// All of it. It begins with `Step` of `kernels/step.cuh`.
    pub whole: Region,
    /// The rows' labels.
    pub labels: Region,
    /// The rows' weights.
    pub weights: Region,
    /// The parameters' records.
    pub records: Region,
}

/// Bytes of `Step` of `kernels/step.cuh`, rounded up.
pub const STEP: usize = 16;

/// The memory and the order of the work for one batch size.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Images of a batch.
    pub batch: usize,
    /// Outputs of the last layer.
    pub classes: usize,
    /// How the network's input is made of rows.
    pub input: input::cuda::Kernel,
    /// Rows as they come from the host: those of a step, and those of the next one.
    pub rows: [Region; 2],
    /// The mean image.
    pub mean: Region,
    /// The maps; the first is the network's input.
    pub values: Vec<Value>,
    /// The layers.
    pub steps: Vec<Step>,
    /// Two maps of gradients, which take turns.
    pub gradients: [Region; 2],
    /// How each parameter lies.
    pub layouts: Vec<WeightLayout>,
    /// Where each parameter is in each of the next three.
    pub parts: Vec<std::ops::Range<usize>>,
    /// All parameters.
    pub parameters: Region,
    /// Their momentum.
    pub momentum: Region,
    /// Their gradients.
    pub parameter_gradients: Region,
    /// The parameters' records, without rates, and the blocks that update them.
    pub records: (Vec<sgd::cuda::Record>, usize),
    /// What changes at each step.
    pub block: StepBlock,
    /// A record of the loss for each row, then that of all.
    pub losses: Region,
    /// The loss of all rows.
    pub loss: Region,
    /// The softmax outputs.
    pub probabilities: Region,
    /// Parts of sums.
    pub workspace: Region,
    /// What the measurement of the peak writes.
    pub peak: Region,
    /// All regions.
    pub layout: Layout,
}

impl Plan {
    /// The plan of `job`. `Err` says what a GPU cannot do.
    pub fn new(job: &Job<'_>) -> Result<Self, ModelError> {
        let (spec, batch) = (job.spec, job.batch);
        check(spec, batch)?;
        let mut layout = Layout::default();
        let input = input_of(job);
        let rows = [(); 2].map(|()| layout.bytes(batch * input.pitch));
        let mean = layout.floats(3 * input.frame * input.frame);
        let Steps {
            values,
            order: steps,
            layouts,
        } = Steps::new(job, input.x, &mut layout)?;
        let largest = values
            .iter()
            .skip(1)
            .map(|value| value.region.bytes())
            .max()
            .unwrap_or(0);
        let gradients = [(); 2].map(|()| layout.bytes(largest));
        let (parts, all) = parts(&layouts);
        let [parameters, momentum, parameter_gradients] = [(); 3].map(|()| layout.bytes(all));
        let records = sgd::cuda::records(layouts.iter().map(WeightLayout::floats));
        let block = step_block(&mut layout, batch, records.0.len());
        let losses = layout.bytes(batch * size_of::<softmax::cuda::LossRecord>());
        let loss = layout.bytes(size_of::<softmax::cuda::LossRecord>());
        let probabilities = layout.floats(batch * Laid::new(Shape::vector(spec.classes)).lanes);
        let workspace = layout.floats(steps.iter().map(Step::workspace).max().unwrap_or(0));
        let peak = layout.floats(peak::cuda::BLOCKS);
        Ok(Self {
            batch,
            classes: spec.classes,
            input,
            rows,
            mean,
            values,
            steps,
            gradients,
            layouts,
            parts,
            parameters,
            momentum,
            parameter_gradients,
            records,
            block,
            losses,
            loss,
            probabilities,
            workspace,
            peak,
            layout,
        })
    }

    /// All memory that is needed of the GPU, with what the driver keeps of it for kernels.
    pub fn needed(&self) -> Bytes {
        self.allocated() + OF_DRIVER
    }

    fn allocated(&self) -> Bytes {
        Bytes::new(self.layout.total() as u64)
    }

    /// Memory of the GPU, by purpose.
    pub fn memory(&self) -> Memory {
        let bytes = |region: Region| Bytes::new(region.bytes() as u64);
        let values = self.values.iter().map(|value| bytes(value.region)).sum::<Bytes>();
        let argmax = self.steps.iter().map(|step| match step.work {
            Work::Pool(_, argmax) => bytes(argmax),
            _ => Bytes::default(),
        });
        let known = Memory {
            parameters: bytes(self.parameters),
            momentum: bytes(self.momentum),
            parameter_gradients: bytes(self.parameter_gradients) + bytes(self.workspace),
            activations: values + argmax.sum() + bytes(self.probabilities) + bytes(self.rows[0]) * 2,
            activation_gradients: bytes(self.gradients[0]) * 2,
            ..Memory::default()
        };
        let rest = self.allocated().without(known.total());
        Memory { scratch: rest, ..known }
    }
}

/// Refuses what no kernel takes.
fn check(spec: &Spec, batch: usize) -> Result<(), ModelError> {
    let refused = |layer: &str, why: String| {
        Err(ModelError::NotOnGpu {
            layer: layer.to_string(),
            why,
        })
    };
    if batch == 0 {
        return Err(ModelError::Zero { what: "the batch" });
    }
    if batch > MOST_IMAGES {
        return refused("the batch", format!("it may have {MOST_IMAGES} images at most"));
    }
    let input = spec.input;
    if input.channels != 3 || input.height != input.width {
        return refused("the input", format!("{input} is no square image of three colours"));
    }
    Ok(())
}

/// How the network's input is made.
fn input_of(job: &Job<'_>) -> input::cuda::Kernel {
    let plain = (Laid::new(job.spec.input), (1, 0));
    let (x, blocks) = match job.spec.layers.first().map(|layer| &layer.operation) {
        Some(Operation::Conv(conv)) => {
            Blocks::of(conv).map_or(plain, |blocks| (blocks.input(conv), (blocks.stride, conv.padding)))
        }
        _ => plain,
    };
    input::cuda::Kernel {
        side: job.spec.input.height,
        pitch: ByteRows::new(job.spec.input.height).row_bytes(),
        frame: job.mean_side,
        blocks,
        x,
    }
}

/// Where each parameter is among all of them, in bytes, and how many bytes they are together.
fn parts(layouts: &[WeightLayout]) -> (Vec<std::ops::Range<usize>>, usize) {
    let mut end = 0;
    let parts = layouts.iter().map(|layout| {
        let start = end;
        end += layout.floats().next_multiple_of(LANES) * size_of::<f32>();
        start..start + layout.floats() * size_of::<f32>()
    });
    (parts.collect(), end)
}

fn step_block(layout: &mut Layout, batch: usize, parameters: usize) -> StepBlock {
    let rows = (batch * size_of::<u32>()).next_multiple_of(STEP);
    let records = parameters * size_of::<sgd::cuda::Record>();
    let whole = layout.bytes(STEP + 2 * rows + records);
    StepBlock {
        whole,
        labels: whole.part(STEP..STEP + rows),
        weights: whole.part(STEP + rows..STEP + 2 * rows),
        records: whole.part(STEP + 2 * rows..whole.bytes()),
    }
}
