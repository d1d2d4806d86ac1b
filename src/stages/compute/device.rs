//! One device, run by its own thread: work goes in, outcomes come out, in the same order.
//!
//! The devices share a batch. Its slot returns to the source as soon as the last device has copied its rows into its
//! own memory, not when the step ends.

use std::sync::Arc;

use crate::flow::{Fault, Inlet, Outlet, Slot};
use crate::model::{Device, DeviceError, Targets};
use crate::ops::sgd::Rate;
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
    /// The loss of a training step over the rows that this device reports.
    Trained(Loss),
    /// Softmax outputs of those rows, `[rows][classes]`.
    Evaluated(Vec<f32>),
    /// A snapshot to which this device's part of the parameters was added, after all work so far.
    Copied(Snapshot),
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

/// Works until the end of data, on the device called `name`.
pub fn run(name: &str, mut device: Box<dyn Device>, channels: DeviceChannels) -> Result<(), Fault> {
    let DeviceChannels { work, outcomes, free } = channels;
    while let Some(work) = work.next()? {
        match work {
            Work::Train { batch, step, rates } => {
                let span = tracing::debug_span!("device", device = name, step);
                let _entered = span.enter();
                let targets = Targets::new(batch.facts.iter().map(|fact| (fact.label, fact.is_present())));
                load(&mut *device, batch, &free)?;
                outcomes.send(Outcome::Trained(device.train(step, &targets, &rates)?))?;
            }
            Work::Evaluate(batch) => {
                load(&mut *device, batch, &free)?;
                outcomes.send(Outcome::Evaluated(device.evaluate()?.to_vec()))?;
            }
            Work::Discard(batch) => give_back(batch, &free),
            Work::Copy(mut snapshot) => {
                device.store(&mut snapshot)?;
                outcomes.send(Outcome::Copied(snapshot))?;
            }
        }
    }
    outcomes.finish();
    free.finish();
    Ok(())
}

/// Copies the device's share of the rows in use into its memory.
fn load(device: &mut dyn Device, batch: Arc<Batch>, free: &Outlet<Slot>) -> Result<(), DeviceError> {
    let in_use = batch.header.rows as usize;
    device.copy_rows(batch.slot.bytes(in_use), in_use)?;
    give_back(batch, free);
    Ok(())
}

/// The last device to drop the batch returns its slot. The source may have ended already; then nobody needs it.
fn give_back(batch: Arc<Batch>, free: &Outlet<Slot>) {
    if let Some(batch) = Arc::into_inner(batch) {
        let _ = free.send(batch.slot);
    }
}
