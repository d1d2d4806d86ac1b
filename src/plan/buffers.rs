//! Memory that the stages hold beside the network's.

use super::{Crews, ModelPlan};
use crate::config::Config;
use crate::config::evaluate::Crops;
use crate::devices::cpu::PlanarRows;
use crate::devices::row::RowWriter;
use crate::memory::Bytes;

/// Buffers of the stages, all made once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buffers {
    /// All slots.
    pub slots: Bytes,
    /// Buffers in which decoded pixels travel: one in each hand and one in each place of the queue between.
    pub pixel_buffers: usize,
    /// One of them at its largest; `None` where the size of the images decides.
    pub pixel_buffer: Option<Bytes>,
    /// Decode workers, each of which holds the image that it is at.
    pub decoders: usize,
    /// The copy that a checkpoint is written from.
    pub snapshot: Bytes,
}

impl Buffers {
    /// Those of `config`, for the network of `model`: with as many workers as there may come to be.
    pub fn new(config: &Config, model: &ModelPlan, crews: Crews) -> Self {
        let Config {
            decode,
            augment,
            staging,
            evaluate,
            ..
        } = config;
        let crop = augment.crop.get();
        let row = Bytes::of::<u8>(PlanarRows::new(crop).row_bytes());
        let side = if evaluate.crops == Crops::One {
            Some(crop)
        } else {
            decode.shorter_side.map(|side| side as usize)
        };
        Self {
            slots: row * staging.batch.get() * staging.slots.get(),
            pixel_buffers: crews.decode.most + augment.queue.get() + crews.augment.most,
            pixel_buffer: side.map(|side| Bytes::of::<[u8; 3]>(side) * side),
            decoders: crews.decode.most,
            // Values and momentum.
            snapshot: Bytes::of::<[f32; 2]>(model.spec.parameters()),
        }
    }

    /// All pixel buffers, where the largest image has `whole` bytes.
    pub fn crops(&self, whole: Bytes) -> Bytes {
        self.pixel_buffer.unwrap_or(whole) * self.pixel_buffers
    }
}
