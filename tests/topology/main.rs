//! Whole flows: how much is in flight at most, that their stages work concurrently, and that results do not depend on the
//! number of workers or processes.

mod bound;
mod overlap;
mod ranks;
mod same;

#[path = "../given/mod.rs"]
#[allow(dead_code, reason = "each test target uses its part")]
mod given;
