//! Devices: the rows that they are written, and what several of them exchange.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod communicator;
mod losses;
mod row;
