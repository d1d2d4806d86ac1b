//! Whole flows: what is in flight at most, that their stages work at the same time, and that what they bring depends on no number of
//! workers or processes.

mod bound;
mod overlap;
mod ranks;
mod same;

#[path = "../given/mod.rs"]
#[allow(dead_code, reason = "each test target uses its part")]
mod given;
