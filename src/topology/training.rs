//! The flow of `run` and `eval`, in the data's order.
//!
//! ```text
//! source ─ticket▶ decode ─pixels▶ augment ─receipt▶ staging ─batch▶ compute ─work▶ cpu
//!    ▲               ▲───buffer──────┘                                 ├─save──▶ save
//!    └──────────────────────slot─────────────────────── cpu            └─report▶ record
//! ```

use std::collections::VecDeque;
use std::num::NonZeroUsize;

use super::{Flow, Topology, Waits, fill, pixel_pool};
use crate::dataset::statistics::Statistics;
use crate::flow::{Fault, Inlet, Outlet, Role, Slot, Stop, channel};
use crate::model::Network;
use crate::model::solver::Rates;
use crate::plan::{Plan, PlanError};
use crate::stages::compute::{self, Compute, Hops, IN_FLIGHT, Replica, Report, RunState};
use crate::stages::passage::Batch;
use crate::stages::save::{self, Saver};
use crate::stages::{augment, decode, source, staging};

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

/// What makes decoding cheaper.
pub(super) const DECODE_LESS: &str = "smaller images or a pack";

/// What makes saving cheaper.
const SAVE_LESS: &str = "checkpoints less often (checkpoint.every_steps)";

/// The flow of `run` and `eval`. `listen` is what the recorder runs.
pub fn training(
    plan: &Plan,
    beginning: Beginning,
    stop: &Stop,
    listen: impl FnOnce(Inlet<Report>) -> Result<(), Fault> + Send + 'static,
) -> Result<Topology, PlanError> {
    let config = &plan.config;
    let slots = config.staging.slots;
    let rule = plan.rule(beginning.statistics.as_ref());
    let mut flow = Flow::new(plan.cores);

    // source: slots come home to it, tickets leave.
    let (free, slots_home) = channel("slot", slots);
    fill(&free, slots.get(), || {
        Slot::new(config.staging.batch.get(), plan.writer.row_bytes())
    });
    let (opened, openings) = channel("opened", slots);
    let (tickets, tickets_in) = channel("ticket", config.decode.queue);
    let way = source::Source {
        itinerary: plan.itinerary.clone(),
        start: beginning.state.position,
    };
    let waits = Waits::of_source(slots_home.gauge())
        .room(slots_home.waits())
        .room(opened.waits())
        .room(tickets.waits());
    flow.one("source", waits, {
        let stop = stop.clone();
        move || source::run(&way, &slots_home, opened, tickets, &stop)
    });

    // decode: buffers circulate between it and augment.
    let (spare, pool) = pixel_pool(plan);
    let (pixels, pixels_in) = channel("pixels", config.augment.queue);
    let settings = plan.decode(rule.clone());
    flow.images(tickets_in.gauge());
    let waits = Waits::of(Role::Input, &tickets_in)
        .room(pool.waits())
        .room(pixels.waits());
    flow.many("decode", plan.decoders(), waits.remedy(DECODE_LESS), |entrance| {
        let (settings, tickets) = (settings.clone(), tickets_in.behind(entrance));
        let (pool, pixels) = (pool.clone(), pixels.clone());
        move || decode::run(&settings, &tickets, &pool, pixels)
    });
    pixels.finish();

    // augment: writes rows, sends receipts.
    let (receipts, receipts_in) = channel("receipt", config.staging.queue);
    let settings = plan.augment(rule, beginning.statistics.as_ref())?;
    let waits = Waits::of(Role::Input, &pixels_in)
        .room(receipts.waits())
        .room(spare.waits());
    flow.many("augment", plan.augmenters(), waits, |entrance| {
        let (settings, pixels) = (settings.clone(), pixels_in.behind(entrance));
        let (receipts, spare) = (receipts.clone(), spare.clone());
        move || augment::run(&settings, &pixels, receipts, spare)
    });
    receipts.finish();
    spare.finish();

    // staging: whole batches, in order.
    let (batches, batches_in) = channel("batch", config.compute.queue);
    let stream = beginning.state.stream;
    let waits = Waits::of(Role::Input, &receipts_in)
        .input(openings.waits())
        .room(batches.waits());
    flow.one("staging", waits, {
        let stop = stop.clone();
        move || staging::run(stream, &receipts_in, &openings, batches, &stop)
    });

    computing(&mut flow, plan, beginning, (batches_in, free), stop, listen)?;
    Ok(flow.finish())
}

/// The rest of the flow. compute: the device's thread, the stage that drives it, the writer of checkpoints. `ends`: where
/// batches come from and slots go.
fn computing(
    flow: &mut Flow,
    plan: &Plan,
    beginning: Beginning,
    ends: (Inlet<Batch>, Outlet<Slot>),
    stop: &Stop,
    listen: impl FnOnce(Inlet<Report>) -> Result<(), Fault> + Send + 'static,
) -> Result<(), PlanError> {
    let Beginning {
        network,
        state,
        expected,
        statistics,
        every_steps,
    } = beginning;
    let config = &plan.config;
    let (batches_in, free) = ends;
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
    Ok(())
}
