//! The flow of `bench input`: the input of a run, with a stage that drops its batches.

use super::input::Start;
use super::{Flow, Topology, Waits};
use crate::dataset::statistics::Statistics;
use crate::flow::{Role, Stop};
use crate::plan::{Plan, PlanError};
use crate::stages::discard;
use crate::stages::messages::{Batch, Position};

/// The flow that makes batches and drops them. `delivered` is called for each.
pub fn feeding(
    plan: &Plan,
    statistics: Option<&Statistics>,
    stop: &Stop,
    delivered: impl FnMut(&Batch) + Send + 'static,
) -> Result<Topology, PlanError> {
    let mut flow = Flow::new(plan.cores);
    let start = Start {
        position: Position::START,
        stream: 0,
        slots: plan.slots()?,
    };
    let (batches, free) = flow.input(plan, statistics, start, stop)?;
    // Not a device: a device without cost would always be idle, which says nothing about the input.
    let waits = Waits::of(Role::Output, &batches).room(free.waits());
    flow.one("discard", waits, move || discard::run(&batches, free, delivered));
    Ok(flow.finish())
}
