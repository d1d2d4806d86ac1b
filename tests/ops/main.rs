//! Every operation against a twin written straight from its formula, gradients against finite differences, and the laws
//! that hold for the whole network.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod conv;
mod differences;
mod elementwise;
mod given;
mod gradients;
mod laws;
#[path = "../layers/mod.rs"]
mod layers;
mod learns;
mod linear;
mod lrn;
mod planar;
mod pool;
mod presets;
mod rows;
mod schedule;
mod sgd;
mod softmax;
mod spec;
mod tanh;
mod timing;
mod trains;
