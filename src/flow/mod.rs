//! The grammar of the data plane: bounded hops, workers, slots. Knows no JPEG, no network and no actor.

pub mod channel;

pub mod fault;

pub mod gauge;

pub mod slots;

pub mod stop;

pub mod worker;

pub use channel::{Inlet, Outlet, channel};
pub use fault::{Exit, Fault};
pub use gauge::HopGauge;
pub use slots::{Lent, Rows, Slot};
pub use stop::Stop;
pub use worker::Worker;
