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

/// Something that takes memory, and what makes it take less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taker {
    /// What it is called.
    pub name: &'static str,
    /// What may be changed.
    pub remedy: &'static str,
}

/// A whole run.
pub const RUN: Taker = Taker {
    name: "run",
    remedy: "lower staging.batch, staging.slots or augment.queue, or make the network smaller",
};

/// Networks alone.
pub const NETWORK: Taker = Taker {
    name: "network",
    remedy: "lower the batch, or make the network smaller",
};

/// The pass for statistics, in which buffers hold whole frames.
pub const STATISTICS: Taker = Taker {
    name: "pass for statistics",
    remedy: "lower decode.shorter_side or augment.queue",
};

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

/// Of the pass for statistics over frames whose shorter side is `side`, or over whole images: what its stages take at least.
pub fn of_statistics(buffers: &Buffers, side: Option<u32>, workspace: Bytes) -> Vec<Need> {
    let frame = side.map(|side| Bytes::of::<[u8; 3]>(side as usize) * side as usize);
    let need = |(what, bytes)| Need { what, bytes };
    [
        ("decoded frames", frame.unwrap_or(workspace) * buffers.pixel_buffers),
        ("decode workers", workspace * buffers.decoders),
    ]
    .map(need)
    .into()
}

/// All of it.
pub fn sum(needs: &[Need]) -> Bytes {
    needs.iter().map(|need| need.bytes).sum()
}

/// Refuses `needs` of `taker` that come to more than this process could have if nothing else ran on the machine.
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

/// The largest of them.
pub fn largest(needs: &[Need]) -> Need {
    let none = Need {
        what: "nothing",
        bytes: Bytes::default(),
    };
    needs.iter().copied().max_by_key(|need| need.bytes).unwrap_or(none)
}
