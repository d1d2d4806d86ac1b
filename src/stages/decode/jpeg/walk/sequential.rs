//! Scans of sequential JPEGs.

use std::rc::Rc;

use super::bits::Bits;
use super::tables::{Code, Steps};

/// One block of an MCU.
#[derive(Clone)]
pub(super) struct Block {
    /// The index of its component in the scan.
    pub(super) component: usize,
    pub(super) dc: Rc<Code>,
    pub(super) ac: Rc<Code>,
    pub(super) steps: Rc<Steps>,
}

/// How to read a scan.
pub(super) struct Sequential {
    /// The blocks of an MCU, in order.
    pub(super) blocks: Vec<Block>,
    pub(super) mcus: u64,
    pub(super) interval: u32,
    /// Bits per sample.
    pub(super) precision: u8,
    /// Bits of the longest block so far.
    pub(super) longest: usize,
}

impl Sequential {
    /// Reads all MCUs; `None` if the data end too early or are invalid.
    pub(super) fn read(&mut self, bits: &mut Bits<'_>) -> Option<()> {
        let mut last = [0; 4];
        let (mut restarts, mut longest) = (0, 0);
        for mcu in 0..self.mcus {
            if self.interval > 0 && mcu > 0 && mcu.is_multiple_of(u64::from(self.interval)) {
                bits.restart(restarts)?;
                restarts += 1;
                last = [0; 4];
            }
            for block in &self.blocks {
                let start = bits.place();
                let value = &mut last[block.component];
                *value += self.block(block, bits)?;
                self.is_possible(*value, block.steps[0]).then_some(())?;
                longest = longest.max(bits.place() - start);
            }
        }
        self.longest = longest;
        Some(())
    }

    /// Reads one block and returns the difference of its DC value from the previous one.
    pub(super) fn block(&self, block: &Block, bits: &mut Bits<'_>) -> Option<i32> {
        let size = block.dc.value(bits).filter(|&size| size < 16)?;
        let difference = bits.signed(u32::from(size))?;
        // The two values may be at opposite limits.
        self.is_possible(difference / 2, block.steps[0]).then_some(())?;
        let mut place = 1;
        while place < 64 {
            let value = block.ac.value(bits)?;
            let (run, size) = (usize::from(value >> 4), u32::from(value & 15));
            place += run;
            if size == 0 {
                match run {
                    0 => break,
                    15 if place < 63 => {}
                    _ => return None,
                }
            } else {
                let step = *block.steps.get(place)?;
                self.is_possible(bits.signed(size)?, step).then_some(())?;
            }
            place += 1;
        }
        Some(difference)
    }

    /// Whether a coefficient can have this value, in steps of `step`. With samples of 8 bits the limit is 1024, but encoders
    /// exceed it a little.
    fn is_possible(&self, value: i32, step: u16) -> bool {
        let most = 1536_u64 << (self.precision - 8);
        u64::from(value.unsigned_abs()) * u64::from(step) <= most + u64::from(step)
    }
}
