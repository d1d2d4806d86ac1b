//! The network on one device, run by its own thread: work goes in, outcomes come out, in the same order.
//!
//! The devices share a batch. Its slot returns to the source as soon as the last device has copied its rows into its own
//! memory, not when the step ends.

use std::sync::Arc;

use crate::devices::{Communicator, PeerLost, Update};
use crate::flow::{Fault, Inlet, Outlet, Slot, Stopwatch};
use crate::model::cpu::columns::Columns;
use crate::model::{Network, Pass};
use crate::ops::sgd::{self, Rate};
use crate::ops::softmax::Loss;
use crate::stages::messages::{Batch, Snapshot};

/// Work for a device.
#[derive(Clone)]
pub enum Work {
    /// One training step.
    Train {
        /// The rows.
        batch: Arc<Batch>,
        /// Number of the step, from 0: the key of the dropout masks.
        step: u64,
        /// One per parameter.
        rates: Arc<[Rate]>,
    },
    /// Computes the softmax outputs of a batch.
    Evaluate(Arc<Batch>),
    /// A batch that is no longer needed: only its slot is returned.
    Discard(Arc<Batch>),
    /// Copies the part of all parameters that this device updates.
    Copy(Snapshot),
}

/// The result of a piece of work. `Discard` has none.
pub enum Outcome {
    /// The loss of a training step over the rows that this device reports: its own rows, or, with columns, all rows on the first
    /// device and none on the others.
    Trained(Loss),
    /// Softmax outputs of those rows, `[rows][classes]`.
    Evaluated(Vec<f32>),
    /// A snapshot to which this device's part of the parameters was added, after all work so far.
    Copied(Snapshot),
}

/// A device's communicator.
pub type End = Box<dyn Communicator<Buffer = [f32]>>;

/// How a device is connected to the others.
pub enum Peers {
    /// There are no others.
    None,
    /// Data parallelism: gradients are summed, and weights gathered.
    Gradients(End),
    /// Columns: maps are exchanged.
    Columns(Columns),
}

/// A network and its device.
pub struct Replica {
    /// The device's name.
    pub name: &'static str,
    /// The network.
    pub network: Network,
    /// The run's seed.
    pub seed: u64,
    /// Floats per row of the network's input.
    pub row_len: usize,
    /// Its connection to the other devices.
    pub peers: Peers,
}

/// A device's channels.
pub struct DeviceChannels {
    /// From compute.
    pub work: Inlet<Work>,
    /// To compute.
    pub outcomes: Outlet<Outcome>,
    /// Returns slots to the source.
    pub free: Outlet<Slot>,
}

/// Works until the end of data.
pub fn run(mut replica: Replica, channels: DeviceChannels) -> Result<(), Fault> {
    let DeviceChannels { work, outcomes, free } = channels;
    while let Some(work) = work.next()? {
        match work {
            Work::Train { batch, step, rates } => {
                let span = tracing::debug_span!("cpu", device = replica.name, step);
                let _entered = span.enter();
                let targets = Targets::new(batch.facts.iter().map(|fact| (fact.label, fact.is_present())));
                let rows = replica.load(batch, &free);
                outcomes.send(Outcome::Trained(replica.train(rows, step, &targets, &rates)?))?;
            }
            Work::Evaluate(batch) => {
                let rows = replica.load(batch, &free);
                outcomes.send(Outcome::Evaluated(replica.evaluate(rows)?))?;
            }
            Work::Discard(batch) => give_back(batch, &free),
            Work::Copy(mut snapshot) => {
                replica.network.store(&mut snapshot).map_err(Fault::failed)?;
                outcomes.send(Outcome::Copied(snapshot))?;
            }
        }
    }
    outcomes.finish();
    free.finish();
    Ok(())
}

impl Peers {
    /// Time that the device has waited for the others.
    pub fn waits(&self) -> Option<Arc<Stopwatch>> {
        match self {
            Self::None => None,
            Self::Gradients(communicator) => Some(communicator.waits()),
            Self::Columns(columns) => Some(columns.waits()),
        }
    }
}

impl Replica {
    /// Copies this device's share of the rows in use into its memory, and returns how many rows that is.
    fn load(&mut self, batch: Arc<Batch>, free: &Outlet<Slot>) -> usize {
        let in_use = batch.header.rows as usize;
        let own = self.network.own_rows();
        let own = own.start.min(in_use)..own.end.min(in_use);
        let floats: &[f32] = bytemuck::cast_slice(batch.slot.bytes(in_use));
        // Rows in the slot are padded to whole words, rows of the network are not.
        let rows = floats.chunks_exact(floats.len() / in_use);
        let input = self.network.input_mut().chunks_exact_mut(self.row_len);
        for (to, from) in input.zip(rows.skip(own.start).take(own.len())) {
            to.copy_from_slice(&from[..self.row_len]);
        }
        give_back(batch, free);
        own.len()
    }

    /// One training step on the `rows` rows that are in the network's input, together with the peers.
    pub fn train(&mut self, rows: usize, step: u64, targets: &Targets, rates: &[Rate]) -> Result<Loss, PeerLost> {
        let Self { network, peers, .. } = self;
        let pass = Pass::Train {
            seed: self.seed,
            step: step as u32,
        };
        let first = network.own_rows().start.min(targets.labels.len());
        let (labels, weights) = (&targets.labels[first..], &targets.weights[first..]);
        if let Peers::Columns(columns) = peers {
            network.forward_through(pass, rows, columns)?;
            let loss = network.loss_over(labels, weights, targets.present);
            network.backward_through(columns)?;
            network.update(rates);
            return Ok(if columns.is_leader() { loss } else { Loss::default() });
        }
        network.forward(pass, rows);
        let loss = network.loss_over(labels, weights, targets.present);
        network.backward();
        if let Peers::Gradients(communicator) = peers {
            let mut parameters: Vec<_> = network.sharded().collect();
            let update: Update<'_, [f32]> = &|number, w, v, g| sgd::cpu::step(rates[number], w, v, g);
            communicator.step(&mut parameters, update)?;
        } else {
            network.update(rates);
        }
        Ok(loss)
    }

    /// Softmax outputs of the rows that this device reports.
    fn evaluate(&mut self, rows: usize) -> Result<Vec<f32>, PeerLost> {
        let Self { network, peers, .. } = self;
        match peers {
            Peers::Columns(columns) => {
                network.forward_through(Pass::Evaluate, rows, columns)?;
                if !columns.is_leader() {
                    return Ok(Vec::new());
                }
            }
            Peers::None | Peers::Gradients(_) => network.forward(Pass::Evaluate, rows),
        }
        Ok(network.probabilities().to_vec())
    }
}

/// The last device to drop the batch returns its slot. The source may have ended already; then nobody needs it.
fn give_back(batch: Arc<Batch>, free: &Outlet<Slot>) {
    if let Some(batch) = Arc::into_inner(batch) {
        let _ = free.send(batch.slot);
    }
}

/// Labels and weights of a batch's rows.
pub struct Targets {
    labels: Vec<u32>,
    /// 0 for refused samples and padding.
    weights: Vec<f32>,
    /// Rows of weight 1.
    present: u32,
}

impl Targets {
    /// Of the rows of a whole batch, in order: their labels, and whether they are present.
    pub fn new(rows: impl Iterator<Item = (u32, bool)>) -> Self {
        let weight = |is_present: bool| if is_present { 1.0 } else { 0.0 };
        let (labels, weights): (Vec<u32>, Vec<f32>) =
            rows.map(|(label, is_present)| (label, weight(is_present))).unzip();
        let present = weights.iter().filter(|weight| **weight != 0.0).count() as u32;
        Self {
            labels,
            weights,
            present,
        }
    }
}
