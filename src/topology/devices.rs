//! The stages of the devices.
//!
//! ```text
//! compute ─work▶ cpu ─outcome▶ compute            compute ─work▶ launch ─running▶ cuda ─outcome▶ compute
//!                 └──slot──▶ source                                └──slot──▶ source
//! ```
//!
//! With several devices there is one stage per device, named after it. Each has its own channels from and to compute, and
//! they meet in the communicator.

use std::num::NonZeroUsize;
use std::sync::Arc;

use super::{Flow, Waits};
use crate::config::devices::DeviceName;
use crate::dataset::statistics::Statistics;
use crate::flow::{Outlet, Role, Slot, Stopwatch, channel};
use crate::model::{Device, Parameter};
use crate::plan::{Plan, PlanError};
use crate::stages::compute::{self, DeviceChannels, DeviceLink, IN_FLIGHT, LaunchChannels};

/// A device, and its ends of the channels from and to compute.
pub(super) struct DeviceEnd {
    name: DeviceName,
    device: Box<dyn Device>,
    channels: DeviceChannels,
}

/// Gives the devices their weights, and the mean image if their rows refer to one.
pub(super) fn prepare(
    devices: &mut [Box<dyn Device>],
    plan: &Plan,
    weights: &[Parameter],
    statistics: Option<&Statistics>,
) -> Result<(), PlanError> {
    let mean = plan.mean_image(statistics)?;
    for device in devices {
        device.load(weights)?;
        if let Some(planes) = &mean {
            device.take_mean(planes)?;
        }
    }
    Ok(())
}

/// The slots of a run, prepared for its devices.
pub(super) fn slots(plan: &Plan, devices: &mut [Box<dyn Device>]) -> Result<Vec<Slot>, PlanError> {
    let mut slots = plan.slots()?;
    for slot in &mut slots {
        for device in &mut *devices {
            device.pin(slot)?;
        }
    }
    Ok(slots)
}

/// Channels between compute and each device: compute's ends, and the devices'.
pub(super) fn connect(
    devices: impl Iterator<Item = (DeviceName, Box<dyn Device>)>,
    free: &Outlet<Slot>,
) -> (Vec<DeviceLink>, Vec<DeviceEnd>) {
    let ends = devices.map(|(name, device)| {
        let (work, work_in) = channel("work", NonZeroUsize::MIN);
        let (outcomes, outcomes_in) = channel("outcome", NonZeroUsize::MIN.saturating_add(IN_FLIGHT));
        let link = DeviceLink {
            work,
            outcomes: outcomes_in,
        };
        let channels = DeviceChannels {
            work: work_in,
            outcomes,
            free: free.apart(),
        };
        (link, DeviceEnd { name, device, channels })
    });
    ends.unzip()
}

impl Flow {
    /// Adds the stages of the devices.
    pub(super) fn devices(&mut self, devices: Vec<DeviceEnd>) {
        let is_alone = devices.len() == 1;
        for end in devices {
            // A single device needs no number.
            let stage = if is_alone {
                end.name.kind().name()
            } else {
                end.name.as_str()
            };
            if end.device.is_asynchronous() {
                self.asynchronous_device(stage, end);
            } else {
                self.device(stage, end);
            }
        }
    }

    /// Adds the stage of a device that works while it is called.
    fn device(&mut self, stage: &'static str, end: DeviceEnd) {
        let DeviceEnd { name, device, channels } = end;
        let mut waits = Waits::of(Role::Device, &channels.work)
            .room(channels.outcomes.waits())
            .room(channels.free.waits());
        if let Some(for_others) = device.waits() {
            waits = waits.room(for_others);
        }
        self.one(stage, waits, move || {
            compute::run_device(name.as_str(), device, channels)
        });
    }

    /// Adds the two stages of a device that works by itself. The second one is busy while the device is.
    fn asynchronous_device(&mut self, stage: &'static str, end: DeviceEnd) {
        let DeviceEnd { name, device, channels } = end;
        let DeviceChannels { work, outcomes, free } = channels;
        let (running, running_in) = channel("running", NonZeroUsize::MIN);
        let copying = Arc::<Stopwatch>::default();
        let waits = Waits::of(Role::Driver, &work)
            .room(running.waits())
            .room(free.waits())
            .room(Arc::clone(&copying));
        let channels = LaunchChannels {
            work,
            running,
            free,
            copying,
        };
        self.one("launch", waits, move || {
            compute::launch(name.as_str(), device, channels)
        });
        let waits = Waits::of(Role::Device, &running_in).room(outcomes.waits());
        self.one(stage, waits, move || compute::follow(&running_in, outcomes));
    }
}
