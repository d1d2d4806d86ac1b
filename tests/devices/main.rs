//! Several devices: what they exchange, and that together they are one.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod columns;
mod communicator;
#[path = "../layers/mod.rs"]
mod layers;
mod losses;
mod networks;
mod speed;
