//! The grammar of the data plane: hops, workers, slots, and the way of a run through them.

mod bound;
mod channel;
mod itinerary;
mod loss;
mod overlap;
mod slots;
mod worker;

#[path = "../given/mod.rs"]
#[allow(dead_code, reason = "each test target uses its part")]
mod given;
