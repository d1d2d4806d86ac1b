//! Periodic ticks of an actor.

use std::time::Duration;

use actix::{Actor, AsyncContext, Context};

/// Calls `tick` every `interval`, counted from the end of the previous call.
///
/// actix's `run_interval` is not suitable: after the process was stopped (Ctrl-Z, a suspended job, a paused container), it
/// makes up for all missed ticks at once, and a watchdog that counts ticks would take the pause for a stall.
pub(super) fn every<A>(context: &mut Context<A>, interval: Duration, tick: fn(&mut A))
where
    A: Actor<Context = Context<A>>,
{
    context.run_later(interval, move |actor, context| {
        tick(actor);
        every(context, interval, tick);
    });
}
