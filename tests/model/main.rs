//! Networks: what can be built and what cannot, gradients against finite differences, the laws that hold for any of
//! them, and several devices against one.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod devices;
mod gradients;
mod laws;
mod learns;
mod networks;
mod presets;
mod rows;
mod schedule;
mod spec;
mod timing;
mod trains;

#[path = "../ops/given.rs"]
#[allow(dead_code, reason = "each test target uses its part")]
mod given;
#[path = "../layers/mod.rs"]
mod layers;
#[path = "../net/mod.rs"]
mod net;
