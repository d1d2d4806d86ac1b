//! The building blocks of the data plane: channels, workers, gates, slots, meters and the verdict on what limits a flow.

mod channel;
mod gate;
mod readings;
mod slots;
mod stopwatch;
mod verdict;
mod worker;
