//! Every operation against a reference implementation of its formula, and its gradients against finite differences.
#![allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]

mod conv;
mod differences;
mod elementwise;
mod given;
#[path = "../layers/mod.rs"]
#[allow(dead_code, reason = "each test target uses its part")]
mod layers;
mod linear;
mod lrn;
mod planar;
mod pool;
mod sgd;
mod softmax;
mod tanh;
