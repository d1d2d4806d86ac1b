//! The network on one device, run by a thread of its own: work goes in, outcomes come out, in the same order.
//!
//! The slot goes back to the source as soon as its rows are copied into the device's memory, not when the step ends.

use crate::flow::{Fault, Inlet, Outlet, Slot};
use crate::model::{Network, Pass};
use crate::ops::{sgd::Rate, softmax::Loss};
use crate::stages::passage::Batch;
use crate::stages::save::Snapshot;

/// Something for the device to do.
pub enum Work {
    /// One training step.
    Train {
        /// The rows.
        batch: Batch,
        /// The number of the step, from 0: the key of the dropout masks.
        step: u64,
        /// One for each parameter.
        rates: Vec<Rate>,
    },
    /// Softmax outputs of a batch.
    Evaluate(Batch),
    /// A batch that is not wanted any more: its slot goes home.
    Discard(Batch),
    /// Copies all parameters.
    Copy(Snapshot),
}

/// What came of it. `Discard` has no outcome.
pub enum Outcome {
    /// The loss of a training step.
    Trained(Loss),
    /// Softmax outputs, `[rows][classes]`.
    Evaluated(Vec<f32>),
    /// The parameters after all work so far.
    Copied(Snapshot),
}

/// A network and where it lives.
pub struct Replica {
    /// The network.
    pub network: Network,
    /// The run's seed.
    pub seed: u64,
    /// Elements of a row as the network sees it.
    pub row_len: usize,
}

/// Works until the end of data.
pub fn run(
    mut replica: Replica,
    work: &Inlet<Work>,
    outcomes: Outlet<Outcome>,
    free: Outlet<Slot>,
) -> Result<(), Fault> {
    while let Some(work) = work.next()? {
        match work {
            Work::Train { batch, step, rates } => {
                let span = tracing::debug_span!("cpu", step);
                let _entered = span.enter();
                let (labels, weights) = targets(&batch);
                let rows = replica.load(batch, &free);
                outcomes.send(Outcome::Trained(replica.train(rows, step, &labels, &weights, &rates)))?;
            }
            Work::Evaluate(batch) => {
                let rows = replica.load(batch, &free);
                replica.network.forward(Pass::Evaluate, rows);
                outcomes.send(Outcome::Evaluated(replica.network.probabilities().to_vec()))?;
            }
            Work::Discard(batch) => give_back(batch.slot, &free),
            Work::Copy(mut snapshot) => {
                copy(replica.network.parameters(), &mut snapshot);
                outcomes.send(Outcome::Copied(snapshot))?;
            }
        }
    }
    outcomes.finish();
    free.finish();
    Ok(())
}

impl Replica {
    /// Copies the rows in use into the device's memory and gives the slot back.
    fn load(&mut self, batch: Batch, free: &Outlet<Slot>) -> usize {
        let rows = batch.header.rows as usize;
        let floats: &[f32] = bytemuck::cast_slice(batch.slot.bytes(rows));
        // A row of the slot is padded to whole words, a row of the network is not.
        let input = self.network.input_mut().chunks_exact_mut(self.row_len);
        for (to, from) in input.zip(floats.chunks_exact(floats.len() / rows)) {
            to.copy_from_slice(&from[..self.row_len]);
        }
        give_back(batch.slot, free);
        rows
    }

    fn train(&mut self, rows: usize, step: u64, labels: &[u32], weights: &[f32], rates: &[Rate]) -> Loss {
        self.network.forward(
            Pass::Train {
                seed: self.seed,
                step: step as u32,
            },
            rows,
        );
        let loss = self.network.loss(labels, weights);
        self.network.backward();
        self.network.update(rates);
        loss
    }
}

/// The source may have ended already; then nobody needs the slot.
fn give_back(slot: Slot, free: &Outlet<Slot>) {
    let _ = free.send(slot);
}

fn targets(batch: &Batch) -> (Vec<u32>, Vec<f32>) {
    let weight = |is_present: bool| if is_present { 1.0 } else { 0.0 };
    batch
        .facts
        .iter()
        .map(|fact| (fact.label, weight(fact.is_present())))
        .unzip()
}

/// Copies values and momentum into memory that is there already; the first time it is made.
fn copy(from: &[crate::model::Parameter], to: &mut Snapshot) {
    if to.len() != from.len() {
        *to = from.to_vec();
    }
    for (to, from) in to.iter_mut().zip(from) {
        to.value.copy_from_slice(&from.value);
        to.momentum.copy_from_slice(&from.momentum);
    }
}
