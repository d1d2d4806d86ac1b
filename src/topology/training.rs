//! The flow of `run` and `eval`, in the data's order.
//!
//! ```text
//! source ─ticket▶ decode ─pixels▶ augment ─receipt▶ staging ─batch▶ compute ─work▶ cpu
//!    ▲               ▲───buffer──────┘                                 ├─save──▶ save
//!    └──────────────────────slot─────────────────────── cpu            └─report▶ record
//! ```

use std::collections::VecDeque;
use std::num::NonZeroUsize;

use super::input::Start;
use super::{Flow, Topology, Waits, fill};
use crate::dataset::statistics::Statistics;
use crate::flow::{Fault, Inlet, Role, Stop, channel};
use crate::model::Network;
use crate::model::solver::Rates;
use crate::plan::{Plan, PlanError};
use crate::stages::compute::{self, Compute, Hops, IN_FLIGHT, Replica, Report, RunState};
use crate::stages::save::{self, Saver};

/// Where a run begins.
pub struct Beginning {
    /// With the weights of that moment.
    pub network: Network,
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
    listen: impl FnOnce(Inlet<Report>) -> Result<(), Fault> + Send + 'static,
) -> Result<Topology, PlanError> {
    let Beginning {
        network,
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

    // compute: the device's thread, the stage that drives it, the writer of checkpoints.
    let (work, work_in) = channel("work", NonZeroUsize::MIN);
    let (outcomes, outcomes_in) = channel("outcome", NonZeroUsize::MIN.saturating_add(IN_FLIGHT));
    let (saves, saves_in) = channel("save", NonZeroUsize::MIN);
    let (spare_copy, spare_in) = channel("snapshot", NonZeroUsize::MIN);
    fill(&spare_copy, 1, Vec::new);
    let (reports, reports_in) = channel("report", config.observe.queue);
    let compute = Compute {
        itinerary: plan.itinerary.clone(),
        solver: config.solver.clone(),
        rates: Rates::new(&config.solver, network.parameters())?,
        every_steps,
        bad_images_max: config.run.bad_images_max,
        data: plan.sets.clone(),
        state,
        expected,
    };
    let replica = Replica {
        network,
        seed: config.run.seed,
        row_len: plan.model.spec.input.len(),
    };
    let saver = Saver {
        folder: config.run.out.join("checkpoints"),
        keep: config.checkpoint.keep.get(),
        statistics: statistics.clone(),
    };
    let saved = reports.apart();
    // What it waits for is the device, but for the batches.
    let waits = Waits::of(Role::Driver, &batches_in)
        .room(work.waits())
        .room(outcomes_in.waits())
        .room(saves.waits())
        .room(spare_in.waits())
        .room(reports.waits());
    let of_device = Waits::of(Role::Device, &work_in)
        .room(outcomes.waits())
        .room(free.waits());
    let of_save = Waits::of(Role::Output, &saves_in)
        .room(spare_copy.waits())
        .room(saved.waits());
    let of_record = Waits::of(Role::Output, &reports_in);
    flow.one("compute", waits, {
        let hops = Hops {
            batches: batches_in,
            work,
            outcomes: outcomes_in,
            saves,
            spare: spare_in,
            reports,
        };
        let stop = stop.clone();
        move || compute::run(compute, hops, &stop)
    });
    flow.one("cpu", of_device, move || {
        compute::run_replica(replica, &work_in, outcomes, free)
    });
    flow.one("save", of_save.remedy(SAVE_LESS), move || {
        save::run(&saver, &saves_in, spare_copy, saved)
    });
    flow.one("record", of_record, move || listen(reports_in));
    Ok(flow.finish())
}
