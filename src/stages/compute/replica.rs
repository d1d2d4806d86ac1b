//! The network on one device, run by a thread of its own: work goes in, outcomes come out, in the same order.
//!
//! A batch is shared by the devices; its slot goes back to the source as soon as the last of them has copied its rows into
//! its own memory, not when the step ends.

use std::sync::Arc;

use crate::devices::{Communicator, PeerLost, Update};
use crate::flow::{Fault, Inlet, Outlet, Slot, Stopwatch};
use crate::model::columns::Columns;
use crate::model::{Network, Pass};
use crate::ops::sgd::{self, Rate};
use crate::ops::softmax::Loss;
use crate::stages::messages::Batch;
use crate::stages::save::Snapshot;

/// Something for the device to do.
#[derive(Clone)]
pub enum Work {
    /// One training step.
    Train {
        /// The rows.
        batch: Arc<Batch>,
        /// The number of the step, from 0: the key of the dropout masks.
        step: u64,
        /// One for each parameter.
        rates: Arc<[Rate]>,
    },
    /// Softmax outputs of a batch.
    Evaluate(Arc<Batch>),
    /// A batch that is not wanted any more: its slot goes home.
    Discard(Arc<Batch>),
    /// Copies what the device updates of all parameters.
    Copy(Snapshot),
}

/// What came of it. `Discard` has no outcome.
pub enum Outcome {
    /// The loss of a training step, on the rows that the device is_leader for: its own, or of columns the first device's all.
    Trained(Loss),
    /// Softmax outputs of those rows, `[rows][classes]`.
    Evaluated(Vec<f32>),
    /// The device's part of the parameters after all work so far is in it.
    Copied(Snapshot),
}

/// A device's end of the communicator.
pub type End = Box<dyn Communicator<Buffer = [f32]>>;

/// What peers a device to the others.
pub enum Peers {
    /// There are no others.
    None,
    /// Gradients are summed, and weights gathered.
    Gradients(End),
    /// Maps change hands.
    Columns(Columns),
}

/// A network and where it lives.
pub struct Replica {
    /// The device.
    pub name: &'static str,
    /// The network.
    pub network: Network,
    /// The run's seed.
    pub seed: u64,
    /// Elements of a row as the network sees it.
    pub row_len: usize,
    /// The other devices.
    pub peers: Peers,
}

/// A device's channels.
pub struct DeviceChannels {
    /// From compute.
    pub work: Inlet<Work>,
    /// To compute.
    pub outcomes: Outlet<Outcome>,
    /// The slots' way home.
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
    /// Time that the device has waited for others.
    pub fn waits(&self) -> Option<Arc<Stopwatch>> {
        match self {
            Self::None => None,
            Self::Gradients(communicator) => Some(communicator.waits()),
            Self::Columns(columns) => Some(columns.waits()),
        }
    }
}

impl Replica {
    /// Copies those of the rows in use that are the device's into its memory, and how many these are.
    fn load(&mut self, batch: Arc<Batch>, free: &Outlet<Slot>) -> usize {
        let in_use = batch.header.rows as usize;
        let own = self.network.own_rows();
        let own = own.start.min(in_use)..own.end.min(in_use);
        let floats: &[f32] = bytemuck::cast_slice(batch.slot.bytes(in_use));
        // A row of the slot is padded to whole words, a row of the network is not.
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

    /// Softmax outputs of the rows that this device is_leader for.
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

/// The slot goes home with the last device that lets go of its batch. The source may have ended already; then nobody needs
/// it.
fn give_back(batch: Arc<Batch>, free: &Outlet<Slot>) {
    if let Some(batch) = Arc::into_inner(batch) {
        let _ = free.send(batch.slot);
    }
}

/// What the rows of a batch should come to.
pub struct Targets {
    labels: Vec<u32>,
    /// 0 for what was refused.
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
