//! The needs that make up the memory of a run: rows of `pipeline check`, and of the error when memory is short.

use std::path::Path;

use super::PlanError;
use super::available::total;
use crate::memory::Bytes;
use crate::model::Memory;

/// An amount of memory and its purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// The purpose.
    pub what: &'static str,
    /// How much.
    pub bytes: Bytes,
}

/// Something that takes memory, and how to reduce it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taker {
    /// What it is called.
    pub name: &'static str,
    /// The settings to change.
    pub remedy: &'static str,
}

/// A whole run.
pub const RUN: Taker = Taker {
    name: "run",
    remedy: "lower staging.batch, staging.slots or augment.queue, or make the network smaller",
};

/// Only the networks.
pub const NETWORK: Taker = Taker {
    name: "network",
    remedy: "lower the batch, or make the network smaller",
};

/// The pass for statistics, whose buffers hold whole frames.
pub const STATISTICS: Taker = Taker {
    name: "pass for statistics",
    remedy: "lower decode.shorter_side or augment.queue",
};

/// A need that only several devices have.
pub const EXCHANGE: &str = "exchange of activations";

/// The needs of networks.
pub fn of_networks(memory: &Memory) -> Vec<Need> {
    let need = |(what, bytes)| Need { what, bytes };
    [
        ("parameters", memory.parameters),
        ("momentum", memory.momentum),
        ("gradients of parameters", memory.parameter_gradients),
        ("activations", memory.activations),
        ("gradients of activations", memory.activation_gradients),
        (EXCHANGE, memory.exchange),
        ("scratch", memory.scratch),
    ]
    .map(need)
    .into()
}

/// The sum of all needs.
pub fn sum(needs: &[Need]) -> Bytes {
    needs.iter().map(|need| need.bytes).sum()
}

/// Refuses the `needs` of `taker` if they exceed what this process could get if nothing else ran on the machine.
pub fn refuse_beyond_all(taker: Taker, needs: &[Need]) -> Result<(), PlanError> {
    let needed = sum(needs);
    match total(Path::new("/")) {
        Some(total) if needed > total.bytes => Err(PlanError::BeyondAll {
            taker,
            needed,
            largest: largest(needs),
            total,
        }),
        _ => Ok(()),
    }
}

/// The largest need.
pub fn largest(needs: &[Need]) -> Need {
    let none = Need {
        what: "nothing",
        bytes: Bytes::default(),
    };
    needs.iter().copied().max_by_key(|need| need.bytes).unwrap_or(none)
}
