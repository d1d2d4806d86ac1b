//! One device: work goes in, outcomes come out, in the same order.
//!
//! A device that works while a call is in progress, such as a CPU, has one thread. One that works by itself, such as a GPU,
//! has two: the first one launches work, and the second one waits for it. So the first thread's time says nothing of the
//! device, and the second one's says everything: it is busy while the device is.
//!
//! The devices share a batch. Its slot returns to the source as soon as the last device has copied its rows into its
//! own memory, not when the step ends.

use std::sync::Arc;

use crate::flow::{Fault, Inlet, Outlet, Slot, Stopwatch};
use crate::model::{Device, Running, Targets};
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

/// A piece of work that a device has begun.
pub enum Submitted {
    /// A training step.
    Trained(Running<Loss>),
    /// An evaluation.
    Evaluated(Running<Vec<f32>>),
    /// A copy, which has ended.
    Copied(Snapshot),
}

impl Submitted {
    /// Waits for its end.
    fn outcome(self) -> Result<Outcome, Fault> {
        Ok(match self {
            Self::Trained(loss) => Outcome::Trained(loss.wait()?),
            Self::Evaluated(outputs) => Outcome::Evaluated(outputs.wait()?),
            Self::Copied(snapshot) => Outcome::Copied(snapshot),
        })
    }
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

/// The channels of the thread that launches a device's work.
pub struct LaunchChannels {
    /// From compute.
    pub work: Inlet<Work>,
    /// To the thread that waits.
    pub running: Outlet<Submitted>,
    /// Returns slots to the source.
    pub free: Outlet<Slot>,
    /// Time that it waits for rows to leave their slots.
    pub copying: Arc<Stopwatch>,
}

/// Works until the end of data, on the device called `name`, which works while it is called.
pub fn run(name: &str, mut device: Box<dyn Device>, channels: DeviceChannels) -> Result<(), Fault> {
    let DeviceChannels { work, outcomes, free } = channels;
    let copying = Stopwatch::default();
    while let Some(work) = work.next()? {
        let hand_on = |submitted: Submitted| Ok(outcomes.send(submitted.outcome()?)?);
        submit(name, &mut *device, work, (&free, &copying), hand_on)?;
    }
    outcomes.finish();
    free.finish();
    Ok(())
}

/// Launches work until the end of data, on the device called `name`, which works by itself.
pub fn launch(name: &str, mut device: Box<dyn Device>, channels: LaunchChannels) -> Result<(), Fault> {
    let LaunchChannels {
        work,
        running,
        free,
        copying,
    } = channels;
    while let Some(work) = work.next()? {
        let hand_on = |submitted| Ok(running.send(submitted)?);
        submit(name, &mut *device, work, (&free, &copying), hand_on)?;
    }
    running.finish();
    free.finish();
    Ok(())
}

/// Waits for the work that was launched, until the end of data.
pub fn follow(running: &Inlet<Submitted>, outcomes: Outlet<Outcome>) -> Result<(), Fault> {
    while let Some(submitted) = running.next()? {
        outcomes.send(submitted.outcome()?)?;
    }
    outcomes.finish();
    Ok(())
}

/// Begins a piece of work and hands it on. Returns the slot as soon as its rows have left it.
fn submit(
    name: &str,
    device: &mut dyn Device,
    work: Work,
    (free, copying): (&Outlet<Slot>, &Stopwatch),
    hand_on: impl FnOnce(Submitted) -> Result<(), Fault>,
) -> Result<(), Fault> {
    match work {
        Work::Train { batch, step, rates } => {
            let span = tracing::debug_span!("device", device = name, step);
            let _entered = span.enter();
            let targets = Targets::new(batch.facts.iter().map(|fact| (fact.label, fact.is_present())));
            let leaving = Leaving::begin(device, batch, free)?;
            hand_on(Submitted::Trained(device.train(step, &targets, &rates)?))?;
            leaving.end(free, copying)
        }
        Work::Evaluate(batch) => {
            let leaving = Leaving::begin(device, batch, free)?;
            hand_on(Submitted::Evaluated(device.evaluate()?))?;
            leaving.end(free, copying)
        }
        Work::Discard(batch) => {
            give_back(batch, free);
            Ok(())
        }
        Work::Copy(mut snapshot) => {
            device.store(&mut snapshot)?;
            hand_on(Submitted::Copied(snapshot))
        }
    }
}

/// A batch whose rows the device is copying; `None` if it has copied them.
struct Leaving(Option<(Arc<Batch>, Running<()>)>);

impl Leaving {
    /// Begins to copy the device's share of the rows in use.
    fn begin(device: &mut dyn Device, batch: Arc<Batch>, free: &Outlet<Slot>) -> Result<Self, Fault> {
        let in_use = batch.header.rows as usize;
        let copy = device.copy_rows(&batch.slot, in_use)?;
        if !copy.is_done() {
            return Ok(Self(Some((batch, copy))));
        }
        copy.wait()?;
        give_back(batch, free);
        Ok(Self(None))
    }

    /// Waits until the rows are copied.
    fn end(self, free: &Outlet<Slot>, copying: &Stopwatch) -> Result<(), Fault> {
        if let Some((batch, copy)) = self.0 {
            let waiting = copying.enter();
            copy.wait()?;
            drop(waiting);
            give_back(batch, free);
        }
        Ok(())
    }
}

/// The last device to drop the batch returns its slot. The source may have ended already; then nobody needs it.
fn give_back(batch: Arc<Batch>, free: &Outlet<Slot>) {
    let Some(batch) = Arc::into_inner(batch) else {
        return;
    };
    let slot = Arc::into_inner(batch.slot);
    debug_assert!(slot.is_some(), "who copies its rows has let it go");
    if let Some(slot) = slot {
        let _ = free.send(slot);
    }
}
