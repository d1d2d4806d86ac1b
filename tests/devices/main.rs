//! Devices: the rows written to them, and the data exchanged between them.
#![allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]

mod communicator;
mod losses;
mod row;
