//! Each stage on its own: the order of samples, decoding, random augmentation, training on several devices, and what must be
//! stored before a checkpoint appears.
#![allow(clippy::unwrap_used, reason = "all of this crate is tests")]

mod augment;
mod decode;
mod itinerary;
mod kept;

#[path = "../given/mod.rs"]
#[allow(dead_code, reason = "each test target uses its part")]
mod given;
#[path = "../layers/mod.rs"]
#[allow(dead_code, reason = "each test target uses its part")]
mod layers;
#[path = "../skip/mod.rs"]
#[allow(dead_code, reason = "each test target lacks its part")]
mod skip;
