//! The flow of `run` and `eval`, in the data's order.
//!
//! ```text
//! source ─ticket▶ decode ─pixels▶ augment ─receipt▶ staging ─batch▶ compute ─work▶ cpu
//!    ▲               ▲───buffer──────┘                                 ├─save──▶ save
//!    └──────────────────────slot─────────────────────── cpu            └─report▶ record
//! ```

use std::collections::VecDeque;
use std::num::NonZeroUsize;

use super::{Flow, Topology, fill, pixel_pool};
use crate::dataset::statistics::Statistics;
use crate::flow::{Fault, Inlet, Slot, Stop, channel};
use crate::model::Network;
use crate::model::solver::Rates;
use crate::plan::{Plan, PlanError};
use crate::stages::compute::{self, Compute, Hops, IN_FLIGHT, Replica, Report, RunState};
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
    let slots = config.staging.slots;
    let rule = plan.rule(statistics.as_ref());
    let mut flow = Flow::default();

    // source: slots come home to it, tickets leave.
    let (free, slots_home) = channel("slot", slots);
    fill(&free, slots.get(), || {
        Slot::new(config.staging.batch.get(), plan.writer.row_bytes())
    });
    let (opened, openings) = channel("opened", slots);
    let (tickets, tickets_in) = channel("ticket", config.decode.queue);
    let way = source::Source {
        itinerary: plan.itinerary.clone(),
        start: state.position,
        ahead: Some(plan.sets.clone()),
    };
    flow.hop("source", slots_home.gauge());
    flow.one("source", {
        let stop = stop.clone();
        move || source::run(&way, &slots_home, opened, tickets, &stop)
    });

    // decode: buffers circulate between it and augment.
    let (spare, pool) = pixel_pool(plan);
    let (pixels, pixels_in) = channel("pixels", config.augment.queue);
    let settings = plan.decode(rule.clone());
    flow.hop("decode", tickets_in.gauge());
    flow.many("decode", config.decode.workers, || {
        let (settings, tickets, pool, pixels) = (settings.clone(), tickets_in.clone(), pool.clone(), pixels.clone());
        move || decode::run(&settings, &tickets, &pool, pixels)
    });
    pixels.finish();

    // augment: writes rows, sends receipts.
    let (receipts, receipts_in) = channel("receipt", config.staging.queue);
    let settings = plan.augment(rule, statistics.as_ref())?;
    flow.hop("augment", pixels_in.gauge());
    flow.many("augment", config.augment.workers, || {
        let (settings, pixels, receipts, spare) =
            (settings.clone(), pixels_in.clone(), receipts.clone(), spare.clone());
        move || augment::run(&settings, &pixels, receipts, spare)
    });
    receipts.finish();
    spare.finish();

    // staging: whole batches, in order.
    let (batches, batches_in) = channel("batch", config.compute.queue);
    let stream = state.stream;
    flow.hop("staging", receipts_in.gauge());
    flow.one("staging", {
        let stop = stop.clone();
        move || staging::run(stream, &receipts_in, &openings, batches, &stop)
    });

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
    flow.hop("compute", batches_in.gauge());
    flow.hop("cpu", work_in.gauge());
    flow.hop("save", saves_in.gauge());
    flow.hop("record", reports_in.gauge());
    let saved = reports.clone();
    flow.one("compute", {
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
    flow.one("cpu", move || compute::run_replica(replica, &work_in, outcomes, free));
    flow.one("save", move || save::run(&saver, &saves_in, spare_copy, saved));
    flow.one("record", move || listen(reports_in));
    Ok(flow.0)
}
