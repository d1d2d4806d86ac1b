//! Scans of progressive JPEGs.

use std::rc::Rc;

use super::bits::Bits;
use super::tables::Code;

/// Which bits of which coefficients are in a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Band {
    /// The first and the last coefficient: 0 to 63.
    pub(super) first: u8,
    pub(super) last: u8,
    /// The lowest bit known before the scan (0: none), and the lowest known after it.
    pub(super) high: u8,
    pub(super) low: u8,
}

/// For each block of a component, which coefficients are known not to be 0, as a bit set.
pub(super) type Known = Vec<u64>;

/// Counts MCUs up to the next restart marker.
pub(super) struct Restarts {
    interval: u32,
    until: u32,
    number: u32,
}

impl Restarts {
    pub(super) fn new(interval: u32) -> Self {
        Self {
            interval,
            until: interval,
            number: 0,
        }
    }

    /// To be called before each MCU. Whether a marker was due, which is then read.
    fn pass(&mut self, bits: &mut Bits<'_>) -> Option<bool> {
        if self.interval == 0 {
            return Some(false);
        }
        let is_due = self.until == 0;
        if is_due {
            bits.restart(self.number)?;
            self.number += 1;
            self.until = self.interval;
        }
        self.until -= 1;
        Some(is_due)
    }
}

/// Reads DC values. `codes` has one code per block of an MCU; only the first bits need them.
pub(super) fn dc(
    bits: &mut Bits<'_>,
    mcus: u64,
    mut restarts: Restarts,
    codes: &[Option<Rc<Code>>],
    band: Band,
) -> Option<()> {
    for _ in 0..mcus {
        restarts.pass(bits)?;
        for code in codes {
            if band.high == 0 {
                let size = code.as_ref()?.value(bits).filter(|&size| size < 16)?;
                bits.number(u32::from(size))?;
            } else {
                bits.bit()?;
            }
        }
    }
    Some(())
}

/// Reads AC values of one component.
pub(super) fn ac(
    bits: &mut Bits<'_>,
    mut restarts: Restarts,
    code: &Code,
    band: Band,
    known: &mut Known,
) -> Option<()> {
    // How many blocks, from this one on, have nothing more in the band.
    let mut ended = 0;
    for known in known {
        if restarts.pass(bits)? {
            ended = 0;
        }
        if band.high == 0 {
            first(bits, code, band, &mut ended, known)?;
        } else {
            refine(bits, code, band, &mut ended, known)?;
        }
    }
    // A run does not continue behind the last block.
    (ended == 0).then_some(())
}

/// Reads how many blocks have nothing more: 2^`exponent` plus the next bits.
fn run(bits: &mut Bits<'_>, exponent: u8) -> Option<u32> {
    Some((1 << exponent) + bits.number(u32::from(exponent))?)
}

/// Reads the first bits of a block's coefficients.
fn first(bits: &mut Bits<'_>, code: &Code, band: Band, ended: &mut u32, known: &mut u64) -> Option<()> {
    if *ended > 0 {
        *ended -= 1;
        return Some(());
    }
    let mut place = band.first;
    while place <= band.last {
        let value = code.value(bits)?;
        let (zeros, size) = (value >> 4, value & 15);
        if size > 0 {
            place += zeros;
            (place <= band.last).then_some(())?;
            bits.number(u32::from(size))?;
            *known |= 1 << place;
        } else if zeros < 15 {
            *ended = run(bits, zeros)? - 1;
            break;
        } else {
            place += 15;
        }
        place += 1;
    }
    Some(())
}

/// Reads one more bit of each nonzero coefficient of a block, and the coefficients that become nonzero.
fn refine(bits: &mut Bits<'_>, code: &Code, band: Band, ended: &mut u32, known: &mut u64) -> Option<()> {
    let mut place = band.first;
    while *ended == 0 && place <= band.last {
        let value = code.value(bits)?;
        let (mut zeros, size) = (value >> 4, value & 15);
        match size {
            0 if zeros < 15 => {
                *ended = run(bits, zeros)?;
                break;
            }
            0 => {}
            // Its sign.
            1 => drop(bits.bit()?),
            _ => return None,
        }
        while place <= band.last {
            if *known >> place & 1 == 1 {
                bits.bit()?;
            } else if zeros == 0 {
                break;
            } else {
                zeros -= 1;
            }
            place += 1;
        }
        if size == 1 {
            (place <= band.last).then_some(())?;
            *known |= 1 << place;
        }
        place += 1;
    }
    if *ended > 0 {
        for place in place..=band.last {
            if *known >> place & 1 == 1 {
                bits.bit()?;
            }
        }
        *ended -= 1;
    }
    Some(())
}
