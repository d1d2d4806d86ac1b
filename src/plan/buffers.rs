//! The memory of the stages, without the network's.

use super::needs::{self, Need};
use super::{Crews, ModelPlan};
use crate::config::Config;
use crate::config::evaluate::Crops;
use crate::memory::Bytes;
use crate::model::Memory;

/// The buffers of the stages. All are allocated once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buffers {
    /// All slots.
    pub slots: Bytes,
    /// Buffers of decoded pixels: one per worker and one per place of the queue between the stages.
    pub pixel_buffers: usize,
    /// The largest size of such a buffer; `None` if it depends on the images.
    pub pixel_buffer: Option<Bytes>,
    /// Decode workers. Each holds the image that it is decoding.
    pub decoders: usize,
    /// The copy for writing a checkpoint.
    pub snapshot: Bytes,
}

impl Buffers {
    /// The buffers for `config` and the network of `model`, with the largest numbers of workers.
    pub fn new(config: &Config, model: &ModelPlan, crews: Crews) -> Self {
        let Config {
            decode,
            augment,
            staging,
            evaluate,
            ..
        } = config;
        let crop = augment.crop.get();
        let row = Bytes::of::<u8>(model.row_writer().row_bytes());
        let side = if evaluate.crops == Crops::One {
            Some(crop)
        } else {
            decode.shorter_side.map(|side| side as usize)
        };
        Self {
            slots: row * staging.batch.get() * staging.slots.get(),
            pixel_buffers: crews.decode.max + augment.queue.get() + crews.augment.max,
            pixel_buffer: side.map(|side| Bytes::of::<[u8; 3]>(side) * side),
            decoders: crews.decode.max,
            // Weights and momentum.
            snapshot: Bytes::of::<[f32; 2]>(model.spec.parameters()),
        }
    }

    /// What a run needs, network included. Each of its decode workers needs `workspace`.
    pub fn needs(&self, network: &Memory, workspace: Bytes) -> Vec<Need> {
        let need = |(what, bytes)| Need { what, bytes };
        let stages = [
            ("copy for checkpoints", self.snapshot),
            ("slots", self.slots),
            ("decoded crops", self.crops(workspace)),
            ("decode workers", workspace * self.decoders),
        ];
        needs::of_networks(network)
            .into_iter()
            .chain(stages.map(need))
            .collect()
    }

    /// What the pass for statistics needs at least, over frames whose shorter side is `side`, or over whole images.
    pub fn needs_of_statistics(&self, side: Option<u32>, workspace: Bytes) -> Vec<Need> {
        let frame = side.map(|side| Bytes::of::<[u8; 3]>(side as usize) * side as usize);
        let need = |(what, bytes)| Need { what, bytes };
        [
            ("decoded frames", frame.unwrap_or(workspace) * self.pixel_buffers),
            ("decode workers", workspace * self.decoders),
        ]
        .map(need)
        .into()
    }

    /// The size of all pixel buffers if the largest image has `whole` bytes.
    pub fn crops(&self, whole: Bytes) -> Bytes {
        self.pixel_buffer.unwrap_or(whole) * self.pixel_buffers
    }
}
