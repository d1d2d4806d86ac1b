//! The grammar of the data plane: channels, workers, slots, and the way of a run through them.

mod bound;
mod channel;
mod gate;
mod itinerary;
mod kept;
mod loss;
mod overlap;
mod ranks;
mod room;
mod same;
mod simulated;
mod slots;
mod stopwatch;
mod tuning;
mod verdict;
mod worker;

#[path = "../given/mod.rs"]
#[allow(dead_code, reason = "each test target uses its part")]
mod given;
