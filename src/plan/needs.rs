//! What the memory of a run is for: the rows of `pipeline check`, and what is told where there is not enough.

use std::path::Path;

use super::available::total;
use super::{Buffers, PlanError};
use crate::memory::Bytes;
use crate::model::Memory;

/// An amount of memory and what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// What it is for.
    pub what: &'static str,
    /// How much.
    pub bytes: Bytes,
}

/// What only several devices have.
pub const EXCHANGE: &str = "exchange of activations";

/// Of networks.
pub fn of_networks(memory: &Memory) -> Vec<Need> {
    let need = |(what, bytes)| Need { what, bytes };
    [
        ("parameters", memory.parameters),
        ("momentum", memory.momentum),
        (
            "gradients of parameters",
            memory.parameter_gradients + memory.partial_sums,
        ),
        ("activations", memory.activations),
        ("gradients of activations", memory.activation_gradients),
        (EXCHANGE, memory.exchange),
        ("scratch", memory.scratch + memory.packed_weights),
    ]
    .map(need)
    .into()
}

/// Of a whole run, whose decode workers work in `workspace` bytes each.
pub fn of_run(memory: &Memory, buffers: &Buffers, workspace: Bytes) -> Vec<Need> {
    let need = |(what, bytes)| Need { what, bytes };
    let stages = [
        ("copy for checkpoints", buffers.snapshot),
        ("slots", buffers.slots),
        ("decoded crops", buffers.crops(workspace)),
        ("decode workers", workspace * buffers.decoders),
    ];
    of_networks(memory).into_iter().chain(stages.map(need)).collect()
}

/// All of it.
pub fn sum(needs: &[Need]) -> Bytes {
    needs.iter().map(|need| need.bytes).sum()
}

/// Refuses needs that come to more than this process could have if nothing else ran on the machine. `what` is what they make up.
pub fn refuse_beyond_all(what: &'static str, needs: &[Need]) -> Result<(), PlanError> {
    let needed = sum(needs);
    match total(Path::new("/")) {
        Some(total) if needed > total.bytes => Err(PlanError::BeyondAll {
            what,
            needed,
            largest: largest(needs),
            total,
        }),
        _ => Ok(()),
    }
}

/// The largest of them.
pub fn largest(needs: &[Need]) -> Need {
    let none = Need {
        what: "nothing",
        bytes: Bytes::default(),
    };
    needs.iter().copied().max_by_key(|need| need.bytes).unwrap_or(none)
}
