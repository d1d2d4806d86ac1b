//! The flow of `run` and `eval`, in the data's order.
//!
//! ```text
//! source ─ticket▶ decode ─pixels▶ augment ─receipt▶ staging ─batch▶ compute ─work▶ cpu
//!    ▲               ▲───buffer──────┘                                 ├─save──▶ save ◀─kept─┐
//!    └──────────────────────slot─────────────────────── cpu            └─report──────────▶ record
//! ```
//!
//! The devices are in `devices.rs`: a stage for each, or two for a GPU.

use std::collections::VecDeque;
use std::num::NonZeroUsize;

use super::devices::{connect, prepare, slots};
use super::input::Start;
use super::{Flow, Topology, Waits, fill};
use crate::dataset::statistics::Statistics;
use crate::flow::{Fault, Role, Stop, channel};
use crate::model::Device;
use crate::model::solver::Rates;
use crate::plan::{Plan, PlanError};
use crate::stages::compute::{self, Channels, Compute, Reports, RunState};
use crate::stages::messages::Snapshot;
use crate::stages::save::{self, SaveChannels, Saver};

/// Where a run begins.
pub struct Beginning {
    /// The devices, in the order of the plan.
    pub devices: Vec<Box<dyn Device>>,
    /// The current weights. Later this is the buffer for checkpoints.
    pub weights: Snapshot,
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
        mut devices,
        weights,
        state,
        expected,
        statistics,
        every_steps,
    } = beginning;
    let config = &plan.config;
    let mut flow = Flow::new(plan.cores);

    prepare(&mut devices, plan, &weights, statistics.as_ref())?;

    // source, decode, augment, staging: `input.rs`.
    let start = Start {
        position: state.position,
        stream: state.stream,
        slots: slots(plan, &mut devices)?,
    };
    let (batches_in, free) = flow.input(plan, statistics.as_ref(), start, stop)?;

    // Everything else: compute, which drives the devices; a thread for each of them; the writer of checkpoints; the listener.
    let compute = Compute {
        itinerary: plan.itinerary.clone(),
        solver: config.solver.clone(),
        rates: Rates::new(&config.solver, &plan.model.spec)?,
        every_steps,
        bad_images_max: config.run.bad_images_max,
        data: plan.sets.clone(),
        state,
        expected,
    };
    let (links, ends) = connect(plan.model.names().zip(devices), &free);
    free.finish();
    let (saves, saves_in) = channel("save", NonZeroUsize::MIN);
    let (spare_copy, spare_in) = channel("snapshot", NonZeroUsize::MIN);
    // Without checkpoints, nobody needs the weights any more.
    fill(&spare_copy, if every_steps > 0 { weights } else { Vec::new() });
    let (reports, reports_in) = channel("report", config.observe.queue);
    let (kept, kept_in) = channel("kept", NonZeroUsize::MIN);
    let saved = reports.apart();
    let channels = Channels {
        batches: batches_in,
        devices: links,
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
