//! What keeps an actor alive until it has done its part.
//!
//! actix stops an actor to which no address is left, even while messages wait in its mailbox: a message that arrives, together
//! with the end of its sender, between the actor's last look into the mailbox and the count of its addresses is lost. So an
//! actor that waits for messages holds an address of its own, from its start until it has sent its end.

use actix::{Actor, Addr, AsyncContext, Context};

/// An actor's address to itself.
pub(super) struct Hold<A: Actor>(Option<Addr<A>>);

impl<A: Actor> Default for Hold<A> {
    fn default() -> Self {
        Self(None)
    }
}

impl<A: Actor<Context = Context<A>>> Hold<A> {
    /// From now on the actor stays.
    pub(super) fn take(&mut self, context: &Context<A>) {
        self.0 = Some(context.address());
    }

    /// The actor may stop as soon as nobody can write to it.
    pub(super) fn release(&mut self) {
        self.0 = None;
    }
}
