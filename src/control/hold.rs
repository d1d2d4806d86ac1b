//! Keeps an actor alive until it has finished.
//!
//! actix stops an actor when its last address is dropped, even if messages wait in its mailbox. If a message arrives and its
//! sender ends between the actor's last look into the mailbox and the count of its addresses, the message is lost. So an actor
//! that waits for messages holds an address of itself, from its start until it has reported its end.

use actix::{Actor, Addr, AsyncContext, Context};

/// An actor's address to itself.
pub(super) struct Hold<A: Actor>(Option<Addr<A>>);

impl<A: Actor> Default for Hold<A> {
    fn default() -> Self {
        Self(None)
    }
}

impl<A: Actor<Context = Context<A>>> Hold<A> {
    /// Keeps the actor alive from now on.
    pub(super) fn take(&mut self, context: &Context<A>) {
        self.0 = Some(context.address());
    }

    /// Lets the actor stop as soon as nobody has its address.
    pub(super) fn release(&mut self) {
        self.0 = None;
    }
}
