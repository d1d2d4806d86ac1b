//! The flow of `run` and `eval`, in the data's order.
//!
//! ```text
//! source ─ticket▶ decode ─pixels▶ augment ─receipt▶ staging ─batch▶ compute ─work▶ cpu
//!    ▲               ▲───buffer──────┘                                 ├─save──▶ save ◀─kept─┐
//!    └──────────────────────slot─────────────────────── cpu            └─report──────────▶ record
//! ```
//!
//! With several devices there is one `cpu` stage per device, named after it. Each has its own channels from and to compute, and
//! they meet in the communicator.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::Arc;

use super::input::Start;
use super::{Flow, Topology, Waits, fill};
use crate::config::compute::Parallel;
use crate::dataset::statistics::Statistics;
use crate::devices::cpu::CpuCommunicator;
use crate::flow::{Fault, Outlet, Role, Slot, Stop, channel};
use crate::model::Network;
use crate::model::cpu::columns::Columns;
use crate::model::solver::Rates;
use crate::plan::{Plan, PlanError};
use crate::stages::compute::{
    self, Channels, Compute, Device, DeviceChannels, IN_FLIGHT, Peers, Replica, Reports, RunState,
};
use crate::stages::save::{self, SaveChannels, Saver};

/// Where a run begins.
pub struct Beginning {
    /// The networks with their current weights, one per device.
    pub networks: Vec<Network>,
    /// Everything else.
    pub state: RunState,
    /// Stream hashes that the next steps must have.
    pub expected: VecDeque<(u64, u64)>,
    /// Statistics of the training set, if they are needed.
    pub statistics: Option<Statistics>,
    /// Steps between checkpoints; 0: no checkpoints.
    pub every_steps: u64,
}

/// What makes saving cheaper, for advice.
const SAVE_LESS: &str = "less frequent checkpoints (checkpoint.every_steps)";

/// The flow of `run` and `eval`. The recorder runs `listen`.
pub fn training(
    plan: &Plan,
    beginning: Beginning,
    stop: &Stop,
    listen: impl FnOnce(Reports) -> Result<(), Fault> + Send + 'static,
) -> Result<Topology, PlanError> {
    let Beginning {
        networks,
        state,
        expected,
        statistics,
        every_steps,
    } = beginning;
    let config = &plan.config;
    let mut flow = Flow::new(plan.cores);

    // source, decode, augment, staging: `input.rs`.
    let start = Start {
        position: state.position,
        stream: state.stream,
    };
    let (batches_in, free) = flow.input(plan, statistics.as_ref(), start, stop)?;

    // Everything else: compute, which drives the devices; a thread for each of them; the writer of checkpoints; the listener.
    let compute = Compute {
        itinerary: plan.itinerary.clone(),
        solver: config.solver.clone(),
        rates: Rates::new(&config.solver, networks.first().map_or(&[], Network::parameters))?,
        every_steps,
        bad_images_max: config.run.bad_images_max,
        data: plan.sets.clone(),
        state,
        expected,
    };
    let (devices, ends) = connect(replicas(plan, networks), &free);
    free.finish();
    let (saves, saves_in) = channel("save", NonZeroUsize::MIN);
    let (spare_copy, spare_in) = channel("snapshot", NonZeroUsize::MIN);
    fill(&spare_copy, Vec::new());
    let (reports, reports_in) = channel("report", config.observe.queue);
    let (kept, kept_in) = channel("kept", NonZeroUsize::MIN);
    let saved = reports.apart();
    let channels = Channels {
        batches: batches_in,
        devices,
        saves,
        spare: spare_in,
        reports,
    };
    flow.compute(compute, channels, stop.clone());
    flow.devices(ends);
    let saver = Saver {
        folder: config.run.out.join("checkpoints"),
        keep: config.checkpoint.keep.get(),
        statistics,
    };
    let channels = SaveChannels {
        saves: saves_in,
        kept: kept_in,
        spare: spare_copy,
        reports: saved,
    };
    flow.save(saver, channels);
    let waits = Waits::of(Role::Output, &reports_in).room(kept.waits());
    let reports = Reports {
        reports: reports_in,
        kept,
    };
    flow.one("record", waits, move || listen(reports));
    Ok(flow.finish())
}

impl Flow {
    /// Adds compute. It waits for the devices most of the time, and counts those waits as waits for the stages behind it.
    fn compute(&mut self, compute: Compute, channels: Channels, stop: Stop) {
        let mut waits = Waits::of(Role::Driver, &channels.batches)
            .room(channels.saves.waits())
            .room(channels.spare.waits())
            .room(channels.reports.waits());
        for device in &channels.devices {
            waits = waits.room(device.work.waits()).room(device.outcomes.waits());
        }
        self.one("compute", waits, move || compute::run(compute, channels, &stop));
    }

    /// Adds a stage for each device.
    fn devices(&mut self, ends: Vec<(Replica, DeviceChannels)>) {
        let is_alone = ends.len() == 1;
        for (replica, channels) in ends {
            let mut waits = Waits::of(Role::Device, &channels.work)
                .room(channels.outcomes.waits())
                .room(channels.free.waits());
            if let Some(for_others) = replica.peers.waits() {
                waits = waits.room(for_others);
            }
            // A single device needs no number.
            let name = if is_alone { "cpu" } else { replica.name };
            self.one(name, waits, move || compute::run_replica(replica, channels));
        }
    }

    /// Adds the writer of checkpoints.
    fn save(&mut self, saver: Saver, channels: SaveChannels) {
        let waits = Waits::of(Role::Output, &channels.saves)
            .room(channels.kept.waits())
            .room(channels.spare.waits())
            .room(channels.reports.waits())
            .remedy(SAVE_LESS);
        self.one("save", waits, move || save::run(&saver, channels));
    }
}

/// Channels between compute and each device: compute's ends, and the devices'.
fn connect(replicas: Vec<Replica>, free: &Outlet<Slot>) -> (Vec<Device>, Vec<(Replica, DeviceChannels)>) {
    let ends = replicas.into_iter().map(|replica| {
        let (work, work_in) = channel("work", NonZeroUsize::MIN);
        let (outcomes, outcomes_in) = channel("outcome", NonZeroUsize::MIN.saturating_add(IN_FLIGHT));
        let device = Device {
            work,
            outcomes: outcomes_in,
        };
        let channels = DeviceChannels {
            work: work_in,
            outcomes,
            free: free.apart(),
        };
        (device, (replica, channels))
    });
    ends.unzip()
}

/// The networks, each with its connection to its peers.
fn replicas(plan: &Plan, networks: Vec<Network>) -> Vec<Replica> {
    let compute = &plan.config.compute;
    let several = networks.len() > 1;
    let ends = CpuCommunicator::between(networks.iter().map(|network| Arc::clone(network.threads())).collect());
    let devices = compute.names().zip(networks).zip(ends);
    devices
        .map(|((name, network), end)| Replica {
            name,
            seed: plan.config.run.seed,
            row_len: plan.model.spec.input.len(),
            peers: match compute.parallel {
                _ if !several => Peers::None,
                Parallel::Data => Peers::Gradients(Box::new(end)),
                Parallel::Columns => Peers::Columns(Columns::new(Box::new(end), Arc::clone(network.threads()))),
            },
            network,
        })
        .collect()
}
