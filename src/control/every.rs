//! Ticks of an actor.

use std::time::Duration;

use actix::{Actor, AsyncContext, Context};

/// Calls `tick` every `interval`, counted from the end of the call before.
///
/// Not actix's `run_interval`: after the process was halted (Ctrl-Z, a suspended job, a paused container), that makes up for
/// every tick that was missed, all at once, and a watch that counts ticks would take the halt for a stall.
pub(super) fn every<A>(context: &mut Context<A>, interval: Duration, tick: fn(&mut A))
where
    A: Actor<Context = Context<A>>,
{
    context.run_later(interval, move |actor, context| {
        tick(actor);
        every(context, interval, tick);
    });
}
