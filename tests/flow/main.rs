//! The grammar of the data plane: channels, workers, gates, slots, meters and the verdict on what holds a flow up.

mod channel;
mod gate;
mod readings;
mod slots;
mod stopwatch;
mod verdict;
mod worker;
