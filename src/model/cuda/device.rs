//! A GPU as a device of a run.
//!
//! Two streams work beside each other: one copies the rows of the next step while the other computes this one.
//!
//! ```text
//! copies    rows n → place n mod 2 ────┐                  ┌─ rows n + 2 → the same place …
//! compute   step block n, labels … ────┴─ input ─ (used) ─┴─ forward ─ loss ─ backward ─ update ─ loss → host ─ (done)
//! ```
//!
//! No host thread waits but for the rows to have left their slot, and for a step's loss.

use std::sync::Arc;

use super::buffers::Buffers;
use super::find;
use super::laps::Laps;
use super::peak::PeakMeter;
use super::plan::{Plan, STEP};
use super::program::{Piece, Program, Task};
use super::steps::Work;
use super::weights::WeightLayout;
use crate::devices::cuda::{CudaError, DeviceMemory, Event, Gpu, HostBuffer, InFlight, Kernels, Region, Stream, pin};
use crate::flow::{Slot, Stopwatch};
use crate::model::{Device, DeviceError, Inside, Job, Lap, Memory, ModelError, Parameter, Peak, Running, Targets};
use crate::ops::lanes::lanes;
use crate::ops::sgd::Rate;
use crate::ops::softmax::Loss;
use crate::ops::softmax::cuda::LossRecord;

/// Outcomes that may be under way: that of a step which is computed, of one which is launched, and of one which is read.
const UNDER_WAY: usize = 3;

/// Bytes that are copied at a time when weights are loaded or stored.
const AT_ONCE: usize = 4 << 20;

/// What one of the two places for rows is waiting for.
struct Turn {
    /// The rows have arrived.
    copied: Arc<Event>,
    /// The network's input has been made of them.
    used: Event,
    /// The step is done. With two steps under way at most (`IN_FLIGHT` in `stages/compute`), its outcome has been read when
    /// this is recorded again; if there were more, they would be waited for together.
    done: Arc<Event>,
}

/// A GPU that computes a network.
pub struct CudaDevice {
    gpu: Gpu,
    plan: Plan,
    program: Program,
    memory: DeviceMemory,
    copies: Stream,
    compute: Stream,
    turns: [Turn; 2],
    /// The place of the rows that were copied last.
    turn: usize,
    /// How many rows were copied.
    in_use: usize,
    blocks: Buffers,
    losses: Buffers,
    outputs: Buffers,
    laps: Option<Laps>,
    peak: Option<PeakMeter>,
    is_blocking: bool,
}

impl CudaDevice {
    /// Takes GPU number `number` into use, and allocates all memory.
    pub fn new(job: &Job<'_>, number: usize) -> Result<Self, ModelError> {
        let plan = Plan::new(job)?;
        let gpu = open(number, &plan)?;
        let memory = DeviceMemory::new(&gpu, &plan.layout)?;
        let program = Program::new(&plan, &memory, &mut Kernels::new(&gpu))?;
        let turn = || -> Result<Turn, CudaError> {
            Ok(Turn {
                copied: Arc::new(gpu.event()?),
                used: gpu.event()?,
                done: Arc::new(gpu.event()?),
            })
        };
        let device = Self {
            copies: gpu.stream()?,
            compute: gpu.stream()?,
            turns: [turn()?, turn()?],
            turn: 0,
            in_use: 0,
            blocks: Buffers::new(&gpu, plan.block.whole.bytes(), UNDER_WAY)?,
            losses: Buffers::new(&gpu, plan.loss.bytes(), UNDER_WAY)?,
            outputs: Buffers::new(&gpu, plan.probabilities.bytes(), UNDER_WAY)?,
            laps: None,
            peak: None,
            is_blocking: job.blocking,
            gpu,
            plan,
            program,
            memory,
        };
        device.write_masks()?;
        Ok(device)
    }

    fn write_masks(&self) -> Result<(), CudaError> {
        for step in &self.plan.steps {
            if let Work::Product {
                kernel,
                mask: Some(region),
                ..
            } = step.work
                && let Some(mask) = kernel.mask()
            {
                self.memory.write(region, &mask)?;
            }
        }
        Ok(())
    }

    /// Makes the network's input of the rows that were copied, and computes `pieces`.
    fn compute(&mut self, pieces: fn(&Program) -> &[Piece]) -> Result<(), CudaError> {
        let Self {
            compute,
            memory,
            program,
            laps,
            is_blocking,
            ..
        } = self;
        let Turn { copied, used, .. } = &self.turns[self.turn];
        let mut add = |piece: &Piece| {
            if let Some(laps) = laps {
                laps.begin(compute, piece)?;
            }
            match &piece.task {
                Task::Launch(launch) => compute.launch(launch, *is_blocking),
                Task::Copy(from, to) => compute.copy_within(memory, *from, *to),
            }
        };
        compute.wait(copied)?;
        add(&program.input[self.turn])?;
        compute.record(used)?;
        pieces(program).iter().try_for_each(add)?;
        laps.as_mut().map_or(Ok(()), |laps| laps.end(compute))
    }

    /// Copies what a step begins with to the GPU.
    fn send_block(&self, step: u64, targets: &Targets, rates: &[Rate]) -> Result<InFlight<HostBuffer>, CudaError> {
        let block = self.plan.block;
        let mut buffer = self.blocks.take()?;
        let (head, rest) = buffer.bytes_mut().split_at_mut(STEP);
        let (labels, rest) = rest.split_at_mut(block.labels.bytes());
        let (weights, records) = rest.split_at_mut(block.weights.bytes());
        let (labels, weights): (&mut [u32], &mut [f32]) =
            (bytemuck::cast_slice_mut(labels), bytemuck::cast_slice_mut(weights));
        labels.fill(0);
        weights.fill(0.0);
        labels[..targets.labels.len()].copy_from_slice(&targets.labels);
        weights[..targets.weights.len()].copy_from_slice(&targets.weights);
        // The rate is 1: each record has its own.
        let values = [1f32.to_bits(), step as u32, targets.present, 0];
        head.copy_from_slice(bytemuck::cast_slice(&values));
        let rows = records.chunks_exact_mut(records.len() / self.plan.records.0.len().max(1));
        for ((row, record), rate) in rows.zip(&self.plan.records.0).zip(rates) {
            row.copy_from_slice(bytemuck::bytes_of(&record.with(*rate)));
        }
        let done = &self.turns[self.turn].done;
        self.compute.copy_in(buffer, (&self.memory, block.whole), done)
    }

    /// Copies a result of the step to the host, and ends it.
    fn fetch(&mut self, from: Region, to: &Buffers) -> Result<InFlight<HostBuffer>, CudaError> {
        let done = &self.turns[self.turn].done;
        let fetched = self.compute.copy_out((&self.memory, from), to.take()?, done)?;
        self.compute.record(done)?;
        self.turn = 1 - self.turn;
        Ok(fetched)
    }

    /// Calls `with` with some outputs of a parameter at a time: their region in `all`, and their elements' range.
    fn each_part(
        &self,
        all: Region,
        number: usize,
        mut with: impl FnMut(&WeightLayout, Region, std::ops::Range<usize>) -> Result<(), CudaError>,
    ) -> Result<(), CudaError> {
        let layout = &self.plan.layouts[number];
        let row = layout.row * size_of::<f32>();
        let whole = all.part(self.plan.parts[number].clone());
        let together = (AT_ONCE / row).max(1);
        for first in (0..layout.outputs).step_by(together) {
            let end = (first + together).min(layout.outputs);
            let elements = first * layout.elements()..end * layout.elements();
            with(layout, whole.part(first * row..end * row), elements)?;
        }
        Ok(())
    }

    /// Copies a parameter, its momentum or its gradient from the GPU.
    fn read(&self, all: Region, number: usize, to: &mut [f32]) -> Result<(), CudaError> {
        let mut rows = Vec::new();
        self.each_part(all, number, |layout, region, elements| {
            rows.resize(region.bytes() / size_of::<f32>(), 0.0f32);
            self.memory.read(region, bytemuck::cast_slice_mut(&mut rows))?;
            layout.elements_of(&rows, &mut to[elements]);
            Ok(())
        })
    }

    /// Copies a parameter or its momentum to the GPU.
    fn write(&self, all: Region, number: usize, from: &[f32]) -> Result<(), CudaError> {
        let mut rows = Vec::new();
        self.each_part(all, number, |layout, region, elements| {
            rows.resize(region.bytes() / size_of::<f32>(), 0.0f32);
            layout.rows_of(&from[elements], &mut rows);
            self.memory.write(region, bytemuck::cast_slice(&rows))
        })
    }
}

/// Takes GPU number `number` into use, if it has enough free memory for `plan`.
fn open(number: usize, plan: &Plan) -> Result<Gpu, ModelError> {
    find(number)?;
    let gpu = Gpu::open(number)?;
    let (needed, there) = (plan.needed(), gpu.free_memory()?);
    if needed > there {
        return Err(ModelError::GpuMemory {
            number,
            needed,
            there,
            how: "has only",
        });
    }
    Ok(gpu)
}

impl Drop for CudaDevice {
    fn drop(&mut self) {
        // Kernels and memory go next.
        let _ = self.copies.finish();
        let _ = self.compute.finish();
    }
}

impl Device for CudaDevice {
    fn load(&mut self, whole: &[Parameter]) -> Result<(), DeviceError> {
        assert_eq!(whole.len(), self.plan.layouts.len(), "all parameters");
        self.compute.finish()?;
        let (values, momentum) = (self.plan.parameters, self.plan.momentum);
        for (number, parameter) in whole.iter().enumerate() {
            self.write(values, number, &parameter.value)?;
            if parameter.momentum.len() == parameter.value.len() {
                self.write(momentum, number, &parameter.momentum)?;
            } else {
                // Weights alone, to be evaluated.
                let part = momentum.part(self.plan.parts[number].clone());
                self.compute.clear((&self.memory, part))?;
            }
        }
        Ok(self.compute.finish()?)
    }

    fn take_mean(&mut self, planes: &[f32]) -> Result<(), DeviceError> {
        self.compute.finish()?;
        Ok(self.memory.write(self.plan.mean, bytemuck::cast_slice(planes))?)
    }

    fn pin(&mut self, slot: &mut Slot) -> Result<(), DeviceError> {
        if let Err(error) = pin(&self.gpu, slot) {
            tracing::warn!("rows are copied without pinned memory, which is slower: {error}");
        }
        Ok(())
    }

    fn store(&mut self, whole: &mut [Parameter]) -> Result<(), DeviceError> {
        assert_eq!(whole.len(), self.plan.layouts.len(), "all parameters");
        self.compute.finish()?;
        for (number, parameter) in whole.iter_mut().enumerate() {
            self.read(self.plan.parameters, number, &mut parameter.value)?;
            self.read(self.plan.momentum, number, &mut parameter.momentum)?;
        }
        Ok(())
    }

    fn copy_rows(&mut self, slot: &Arc<Slot>, in_use: usize) -> Result<Running<()>, DeviceError> {
        let Turn { copied, used, .. } = &self.turns[self.turn];
        let place = self.plan.rows[self.turn];
        self.in_use = in_use;
        self.copies.wait(used)?;
        // Rows beyond those in use are images that are absent.
        let end = in_use * self.plan.input.pitch;
        self.copies.clear((&self.memory, place.part(end..place.bytes())))?;
        let rows = self.copies.copy_rows(slot, in_use, (&self.memory, place), copied)?;
        Ok(Running::later(move || {
            rows.landed()?;
            Ok(())
        }))
    }

    fn train(&mut self, step: u64, targets: &Targets, rates: &[Rate]) -> Result<Running<Loss>, DeviceError> {
        let block = self.send_block(step, targets, rates)?;
        self.compute(|program| &program.train)?;
        let loss = self.fetch(self.plan.loss, &self.losses.clone())?;
        let (blocks, losses) = (self.blocks.clone(), self.losses.clone());
        let both = loss.and(block);
        Ok(Running::later(move || {
            let (buffer, block) = both.landed()?;
            blocks.give_back(block);
            let record: LossRecord = bytemuck::pod_read_unaligned(buffer.bytes());
            losses.give_back(buffer);
            Ok(record.into())
        }))
    }

    fn evaluate(&mut self) -> Result<Running<Vec<f32>>, DeviceError> {
        self.compute(|program| &program.evaluate)?;
        let outputs = self.fetch(self.plan.probabilities, &self.outputs.clone())?;
        let buffers = self.outputs.clone();
        let (rows, classes) = (self.in_use, self.plan.classes);
        Ok(Running::later(move || {
            let buffer = outputs.landed()?;
            let padded = bytemuck::cast_slice::<u8, f32>(buffer.bytes()).chunks_exact(lanes(classes));
            let probabilities = padded.take(rows).flat_map(|row| &row[..classes]).copied().collect();
            buffers.give_back(buffer);
            Ok(probabilities)
        }))
    }

    fn is_asynchronous(&self) -> bool {
        true
    }

    fn waits(&self) -> Option<Arc<Stopwatch>> {
        None
    }

    fn time_passes(&mut self) {
        self.laps = Some(Laps::default());
    }

    fn take_laps(&mut self) -> Result<Vec<Lap>, DeviceError> {
        Ok(self.laps.as_mut().map_or(Ok(Vec::new()), Laps::take)?)
    }

    fn memory(&self) -> Memory {
        self.plan.memory()
    }

    fn peak(&mut self) -> Result<Peak, DeviceError> {
        self.compute.finish()?;
        let meter = match &mut self.peak {
            Some(meter) => meter,
            none => none.insert(PeakMeter::new(&self.compute)?),
        };
        Ok(meter.measure(&self.compute, &self.plan, &self.memory)?)
    }

    fn inspect(&mut self) -> Result<Inside, DeviceError> {
        self.compute.finish()?;
        let Plan {
            values,
            layouts,
            parameters,
            parameter_gradients,
            classes,
            ..
        } = &self.plan;
        let mut padded = vec![0f32; values.last().map_or(0, |value| value.region.bytes() / size_of::<f32>())];
        if let Some(last) = values.last() {
            self.memory.read(last.region, bytemuck::cast_slice_mut(&mut padded))?;
        }
        let rows = padded.chunks_exact(lanes(*classes)).take(self.in_use);
        let all = |of: Region| -> Result<Vec<Vec<f32>>, CudaError> {
            let each = layouts.iter().enumerate().map(|(number, layout)| {
                let mut elements = vec![0.0; layout.outputs * layout.elements()];
                self.read(of, number, &mut elements)?;
                Ok(elements)
            });
            each.collect()
        };
        Ok(Inside {
            logits: rows.flat_map(|row| &row[..*classes]).copied().collect(),
            values: all(*parameters)?,
            gradients: all(*parameter_gradients)?,
        })
    }
}
