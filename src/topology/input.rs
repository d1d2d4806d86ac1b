//! The input's part of a flow: from the samples' bytes to whole batches. The same for training and for `bench input`.

use super::{Flow, fill, pixel_pool};
use crate::dataset::statistics::Statistics;
use crate::flow::{Inlet, Outlet, Slot, Stop, channel};
use crate::plan::{Plan, PlanError};
use crate::stages::passage::{Batch, Position};
use crate::stages::{augment, decode, source, staging};

/// Where the input begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    /// The first batch.
    pub(super) position: Position,
    /// Rolling hash of what was trained before.
    pub(super) stream: u64,
}

impl Flow {
    /// Adds source, decode, augment and staging. Gives whole batches, and the way home of their slots.
    pub(super) fn input(
        &mut self,
        plan: &Plan,
        statistics: Option<&Statistics>,
        start: Start,
        stop: &Stop,
    ) -> Result<(Inlet<Batch>, Outlet<Slot>), PlanError> {
        let config = &plan.config;
        let slots = config.staging.slots;
        let rule = plan.rule(statistics);

        // source: slots come home to it, tickets leave.
        let (free, slots_home) = channel("slot", slots);
        fill(&free, slots.get(), || {
            Slot::new(config.staging.batch.get(), plan.writer.row_bytes())
        });
        let (opened, openings) = channel("opened", slots);
        let (tickets, tickets_in) = channel("ticket", config.decode.queue);
        let way = source::Source {
            itinerary: plan.itinerary.clone(),
            start: start.position,
        };
        self.hop("source", slots_home.gauge());
        self.one("source", {
            let stop = stop.clone();
            move || source::run(&way, &slots_home, opened, tickets, &stop)
        });

        // decode: buffers circulate between it and augment.
        let (spare, pool) = pixel_pool(plan);
        let (pixels, pixels_in) = channel("pixels", config.augment.queue);
        let settings = plan.decode(rule.clone());
        self.hop("decode", tickets_in.gauge());
        self.many("decode", config.decode.workers, || {
            let (settings, tickets, pool, pixels) =
                (settings.clone(), tickets_in.clone(), pool.clone(), pixels.clone());
            move || decode::run(&settings, &tickets, &pool, pixels)
        });
        pixels.finish();

        // augment: writes rows, sends receipts.
        let (receipts, receipts_in) = channel("receipt", config.staging.queue);
        let settings = plan.augment(rule, statistics)?;
        self.hop("augment", pixels_in.gauge());
        self.many("augment", config.augment.workers, || {
            let (settings, pixels, receipts, spare) =
                (settings.clone(), pixels_in.clone(), receipts.clone(), spare.clone());
            move || augment::run(&settings, &pixels, receipts, spare)
        });
        receipts.finish();
        spare.finish();

        // staging: whole batches, in order.
        let (batches, batches_in) = channel("batch", config.compute.queue);
        self.hop("staging", receipts_in.gauge());
        self.one("staging", {
            let stop = stop.clone();
            move || staging::run(start.stream, &receipts_in, &openings, batches, &stop)
        });
        Ok((batches_in, free))
    }
}
