//! Scans of progressive JPEGs.

use std::rc::Rc;

use super::bits::Bits;
use super::tables::Code;

/// What a scan's header says of the coefficients in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Band {
    /// The first, and the last: 0 to 63.
    pub(super) first: u8,
    pub(super) last: u8,
    /// The bit that came before this one, where one did, and the lowest that is known now.
    pub(super) high: u8,
    pub(super) low: u8,
}

/// Which coefficients of each block of a component are known not to be 0: bits of a number.
pub(super) type Known = Vec<u64>;

/// How often restart markers come.
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

    /// Before each MCU: whether a marker was due, and read.
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

/// Reads DC values; `codes` are those of an MCU's blocks, which only first bits need.
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
    // Blocks, from this one on, that have nothing more in the band.
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
    // A run does not go on behind the last block.
    (ended == 0).then_some(())
}

/// How many blocks have nothing more, of which `bits` is the exponent.
fn run(bits: &mut Bits<'_>, exponent: u8) -> Option<u32> {
    Some((1 << exponent) + bits.number(u32::from(exponent))?)
}

/// Reads what is known of a block for the first time.
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

/// Reads one more bit of each coefficient of a block that is not 0, and those that turn out not to be.
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
