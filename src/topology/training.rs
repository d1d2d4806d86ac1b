//! The flow of `run` and `eval`, in the data's order.
//!
//! ```text
//! source ─ticket▶ decode ─pixels▶ augment ─receipt▶ staging ─batch▶ compute ─work▶ cpu
//!    ▲               ▲───buffer──────┘                                 ├─save──▶ save ◀─kept─┐
//!    └──────────────────────slot─────────────────────── cpu            └─report──────────▶ record
//! ```
//!
//! Where there are several devices, `cpu` is a stage for each, called by its device: each has channels of its own from and to
//! compute, and they meet in the communicator.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::Arc;

use super::input::Start;
use super::{Flow, Topology, Waits, fill};
use crate::config::compute::Parallel;
use crate::dataset::statistics::Statistics;
use crate::devices::cpu::CpuCommunicator;
use crate::flow::{Fault, Role, Stop, channel};
use crate::model::Network;
use crate::model::columns::Columns;
use crate::model::solver::Rates;
use crate::plan::{Plan, PlanError};
use crate::stages::compute::{
    self, Channels, Compute, Device, DeviceChannels, IN_FLIGHT, Peers, Replica, Reports, RunState,
};
use crate::stages::save::{self, SaveChannels, Saver};

/// Where a run begins.
pub struct Beginning {
    /// With the weights of that moment, one for each device.
    pub networks: Vec<Network>,
    /// All else.
    pub state: RunState,
    /// Stream hashes that must come again.
    pub expected: VecDeque<(u64, u64)>,
    /// Of the training set, where they are needed.
    pub statistics: Option<Statistics>,
    /// Steps between checkpoints; 0: none are written.
    pub every_steps: u64,
}

/// What makes saving cheaper.
const SAVE_LESS: &str = "checkpoints less often (checkpoint.every_steps)";

/// The flow of `run` and `eval`. `listen` is what the recorder runs.
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

    // compute: the stage that drives the devices, a thread for each of them, the writer of checkpoints.
    let (saves, saves_in) = channel("save", NonZeroUsize::MIN);
    let (spare_copy, spare_in) = channel("snapshot", NonZeroUsize::MIN);
    fill(&spare_copy, Vec::new());
    let (reports, reports_in) = channel("report", config.observe.queue);
    let (kept, kept_in) = channel("kept", NonZeroUsize::MIN);
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
    let saver = Saver {
        folder: config.run.out.join("checkpoints"),
        keep: config.checkpoint.keep.get(),
        statistics: statistics.clone(),
    };
    let saved = reports.apart();
    // What it waits for are the devices, but for the batches.
    let mut waits = Waits::of(Role::Driver, &batches_in)
        .room(saves.waits())
        .room(spare_in.waits())
        .room(reports.waits());
    let mut devices = Vec::new();
    let mut of_devices = Vec::new();
    for replica in replicas(plan, networks) {
        let (work, work_in) = channel("work", NonZeroUsize::MIN);
        let (outcomes, outcomes_in) = channel("outcome", NonZeroUsize::MIN.saturating_add(IN_FLIGHT));
        waits = waits.room(work.waits()).room(outcomes_in.waits());
        let channels = DeviceChannels {
            work: work_in,
            outcomes,
            free: free.apart(),
        };
        devices.push(Device {
            work,
            outcomes: outcomes_in,
        });
        of_devices.push((replica, channels));
    }
    free.finish();
    let of_save = Waits::of(Role::Output, &saves_in)
        .room(kept_in.waits())
        .room(spare_copy.waits())
        .room(saved.waits());
    let of_record = Waits::of(Role::Output, &reports_in).room(kept.waits());
    flow.one("compute", waits, {
        let channels = Channels {
            batches: batches_in,
            devices,
            saves,
            spare: spare_in,
            reports,
        };
        let stop = stop.clone();
        move || compute::run(compute, channels, &stop)
    });
    let is_alone = of_devices.len() == 1;
    for (replica, channels) in of_devices {
        let mut waits = Waits::of(Role::Device, &channels.work)
            .room(channels.outcomes.waits())
            .room(channels.free.waits());
        if let Some(for_others) = replica.peers.waits() {
            waits = waits.room(for_others);
        }
        // The only one of its kind needs no number.
        let name = if is_alone { "cpu" } else { replica.name };
        flow.one(name, waits, move || compute::run_replica(replica, channels));
    }
    let channels = SaveChannels {
        saves: saves_in,
        kept: kept_in,
        spare: spare_copy,
        reports: saved,
    };
    flow.one("save", of_save.remedy(SAVE_LESS), move || save::run(&saver, channels));
    let reports = Reports {
        reports: reports_in,
        kept,
    };
    flow.one("record", of_record, move || listen(reports));
    Ok(flow.finish())
}

/// The networks with what peers them together.
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
