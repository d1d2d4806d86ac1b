//! Supervised flows: how they end, and how many workers their stages get.

mod loss;
mod parked;
mod simulated;
mod slow;
mod tuning;

#[path = "../given/mod.rs"]
#[allow(dead_code, reason = "each test target uses its part")]
mod given;
#[path = "../flow/readings.rs"]
mod readings;
