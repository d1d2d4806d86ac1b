//! Memory that the stages hold beside the network's.

use super::{Crews, ModelPlan};
use crate::config::Config;
use crate::config::evaluate::Crops;
use crate::devices::cpu::PlanarRows;
use crate::devices::row::RowWriter;

/// Buffers of the stages, all made once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buffers {
    /// Bytes of all slots.
    pub slots: u64,
    /// Buffers in which decoded pixels travel: one in each hand and one in each place of the queue between.
    pub pixel_buffers: usize,
    /// Bytes of one of them at its largest; `None` where the size of the images decides.
    pub pixel_buffer: Option<u64>,
    /// Bytes of the copy that a checkpoint is written from.
    pub snapshot: u64,
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
        let row_bytes = PlanarRows::new(crop).row_bytes();
        let side = if evaluate.crops == Crops::One {
            Some(crop as u32)
        } else {
            decode.shorter_side
        };
        Self {
            slots: (staging.slots.get() * staging.batch.get() * row_bytes) as u64,
            pixel_buffers: crews.decode.most + augment.queue.get() + crews.augment.most,
            pixel_buffer: side.map(|side| 3 * u64::from(side) * u64::from(side)),
            snapshot: 8 * model.spec.parameters() as u64,
        }
    }
}
