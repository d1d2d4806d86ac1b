//! The input stages of a flow: from the samples' bytes to whole batches. The same for training and for `bench input`.

use std::num::NonZeroUsize;

use super::decoding::Decoding;
use super::{Flow, Waits, fill};
use crate::dataset::statistics::Statistics;
use crate::flow::{Inlet, Outlet, Role, Slot, Stop, channel};
use crate::plan::{Plan, PlanError};
use crate::stages::decode::Decode;
use crate::stages::messages::{Batch, Position, Ticket};
use crate::stages::{Opened, augment, source, staging};

/// The decode stage of a plan.
pub(super) fn decoding(plan: &Plan, settings: Decode) -> Decoding {
    Decoding {
        settings,
        crew: plan.crews().decode,
        buffers: NonZeroUsize::MIN.saturating_add(plan.buffers().pixel_buffers - 1),
        queue: plan.config.augment.queue,
        remedy: "smaller images or a pack",
    }
}

/// Where the input begins.
pub(super) struct Start {
    /// The first batch.
    pub(super) position: Position,
    /// Rolling hash of what was trained before.
    pub(super) stream: u64,
    /// Memory for batches.
    pub(super) slots: Vec<Slot>,
}

/// What source gives to the other stages.
struct Lent {
    tickets: Inlet<Ticket>,
    /// Batches whose rows are being written.
    opened: Inlet<Opened>,
    /// Returns slots.
    free: Outlet<Slot>,
}

impl Flow {
    /// Adds source, decode, augment and staging. Returns the inlet for batches, and the outlet that returns their slots.
    pub(super) fn input(
        &mut self,
        plan: &Plan,
        statistics: Option<&Statistics>,
        start: Start,
        stop: &Stop,
    ) -> Result<(Inlet<Batch>, Outlet<Slot>), PlanError> {
        let config = &plan.config;
        let rule = plan.rule(statistics);

        // source: lends slots to tickets.
        let Lent {
            tickets: tickets_in,
            opened: openings,
            free,
        } = self.source(plan, start.position, start.slots, stop);

        // decode: buffers circulate between it and augment.
        let (pixels_in, spare) = self.decode(decoding(plan, plan.decode(rule.clone())), &tickets_in);

        // augment: writes rows, sends receipts.
        let (receipts, receipts_in) = channel("receipt", config.staging.queue);
        let settings = plan.augment(rule, statistics)?;
        let waits = Waits::of(Role::Input, &pixels_in)
            .room(receipts.waits())
            .room(spare.waits());
        self.many("augment", plan.crews().augment, waits, |entrance| {
            let (settings, pixels) = (settings.clone(), pixels_in.behind(entrance));
            let (receipts, spare) = (receipts.clone(), spare.clone());
            move || augment::run(&settings, &pixels, receipts, spare)
        });
        receipts.finish();
        spare.finish();

        // staging: whole batches, in order.
        let (batches, batches_in) = channel("batch", config.compute.queue);
        let stream = start.stream;
        let waits = Waits::of(Role::Input, &receipts_in)
            .input(openings.waits())
            .room(batches.waits());
        self.one("staging", waits, {
            let stop = stop.clone();
            move || staging::run(stream, &receipts_in, &openings, batches, &stop)
        });
        Ok((batches_in, free))
    }

    /// Adds source, which takes returned slots and sends tickets for their rows.
    fn source(&mut self, plan: &Plan, start: Position, slots: Vec<Slot>, stop: &Stop) -> Lent {
        let config = &plan.config;
        let (free, slots_home) = channel("slot", config.staging.slots);
        slots.into_iter().for_each(|slot| fill(&free, slot));
        let (opened, openings) = channel("opened", config.staging.slots);
        let (tickets, tickets_in) = channel("ticket", config.decode.queue);
        let way = source::Source {
            itinerary: plan.itinerary.clone(),
            start,
            ahead: Some(plan.sets.clone()),
        };
        let waits = Waits::of_source(slots_home.gauge())
            .room(slots_home.waits())
            .room(opened.waits())
            .room(tickets.waits());
        self.one("source", waits, {
            let stop = stop.clone();
            move || source::run(&way, &slots_home, opened, tickets, &stop)
        });
        Lent {
            tickets: tickets_in,
            opened: openings,
            free,
        }
    }
}
