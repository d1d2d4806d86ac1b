//! The building blocks of the data plane: bounded channels, workers and slots. Knows nothing of JPEGs, networks or actors.

pub mod channel;

pub mod cpu_time;

pub mod fault;

pub mod gate;

pub mod gauge;

pub mod meter;

pub mod slots;

pub mod stop;

pub mod stopwatch;

pub mod verdict;

pub mod worker;

pub use channel::{Inlet, Outlet, channel};
pub use fault::{Exit, Fault};
pub use gate::{Entrance, Gate};
pub use gauge::ChannelGauge;
pub use meter::{Meter, Meters, Reading, Role};
pub use slots::{Lent, Rows, Slot};
pub use stop::Stop;
pub use stopwatch::Stopwatch;
pub use verdict::Verdict;
pub use worker::Worker;
