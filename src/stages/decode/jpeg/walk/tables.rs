//! Huffman and quantization tables, and the restart interval: what scans need besides their own headers.

use std::rc::Rc;

use super::super::markers::{DHT, DQT, DRI, Segment};
use super::bits::Bits;

/// A Huffman code.
pub(super) struct Code {
    /// For each length: the first code, the place of its value, and the number of codes.
    lengths: [(u32, usize, u32); 16],
    values: Vec<u8>,
}

impl Code {
    fn new(counts: &[u8; 16], values: &[u8]) -> Option<Self> {
        let (mut code, mut place) = (0, 0);
        let mut lengths = [(0, 0, 0); 16];
        for ((bits, length), &count) in (1..).zip(&mut lengths).zip(counts) {
            *length = (code, place, u32::from(count));
            code += u32::from(count);
            place += usize::from(count);
            // A code of only ones is not allowed.
            if count > 0 && code >= 1 << bits {
                return None;
            }
            code <<= 1;
        }
        (place == values.len()).then(|| Self {
            lengths,
            values: values.to_vec(),
        })
    }

    /// Reads a value; `None` if the next bits are no code.
    pub(super) fn value(&self, bits: &mut Bits<'_>) -> Option<u8> {
        let mut code = 0;
        for (first, place, count) in self.lengths {
            code = code << 1 | bits.bit()?;
            if code.wrapping_sub(first) < count {
                return Some(self.values[place + (code - first) as usize]);
            }
        }
        None
    }
}

/// Steps of a quantization table, in the order in which coefficients are stored.
pub(super) type Steps = [u16; 64];

/// All tables defined so far.
#[derive(Default)]
pub(super) struct Tables {
    dc: [Option<Rc<Code>>; 4],
    ac: [Option<Rc<Code>>; 4],
    steps: [Option<Rc<Steps>>; 4],
    /// MCUs between restart markers; 0: no markers.
    pub(super) interval: u32,
}

impl Tables {
    /// Processes a segment that may define tables; `None` if it is invalid.
    pub(super) fn define(&mut self, segment: &Segment<'_>) -> Option<()> {
        match segment.marker {
            DHT => self.define_codes(segment.payload),
            DQT => self.define_steps(segment.payload),
            DRI => {
                self.interval = u32::from(u16::from_be_bytes(segment.payload.try_into().ok()?));
                Some(())
            }
            _ => Some(()),
        }
    }

    fn define_codes(&mut self, mut rest: &[u8]) -> Option<()> {
        while let Some((&[place, ref counts @ ..], values)) = rest.split_first_chunk::<17>() {
            let count = counts.iter().map(|&count| usize::from(count)).sum();
            let code = Code::new(counts, values.get(..count)?)?;
            let of_kind = if place & 0x10 == 0 { &mut self.dc } else { &mut self.ac };
            *of_kind.get_mut(usize::from(place & !0x10))? = Some(Rc::new(code));
            rest = &values[count..];
        }
        rest.is_empty().then_some(())
    }

    fn define_steps(&mut self, mut rest: &[u8]) -> Option<()> {
        while let Some((&place, values)) = rest.split_first() {
            let size = if place >> 4 == 0 { 1 } else { 2 };
            let mut steps = [0; 64];
            for (step, bytes) in steps.iter_mut().zip(values.get(..64 * size)?.chunks_exact(size)) {
                *step = bytes.iter().fold(0, |step, &byte| step << 8 | u16::from(byte));
            }
            *self.steps.get_mut(usize::from(place & 15))? = Some(Rc::new(steps));
            rest = &values[64 * size..];
        }
        Some(())
    }

    /// DC code number `place`.
    pub(super) fn dc(&self, place: u8) -> Option<Rc<Code>> {
        self.dc.get(usize::from(place))?.clone()
    }

    /// AC code number `place`.
    pub(super) fn ac(&self, place: u8) -> Option<Rc<Code>> {
        self.ac.get(usize::from(place))?.clone()
    }

    /// Quantization table number `place`.
    pub(super) fn steps(&self, place: u8) -> Option<Rc<Steps>> {
        self.steps.get(usize::from(place))?.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(counts: &[u8], values: &[u8]) -> Option<Code> {
        let mut all = [0; 16];
        all[..counts.len()].copy_from_slice(counts);
        Code::new(&all, values)
    }

    #[test]
    fn codes_are_read_as_they_are_dealt() {
        // 00, 01, 10, 110, 1110.
        let code = code(&[0, 3, 1, 1], &[5, 6, 7, 8, 9]).unwrap();
        let mut bits = Bits::new(&[0b0001_1011, 0b0111_0111, 0b1111_1111, 0, 0xff], 0);
        let values: Vec<Option<u8>> = (0..6).map(|_| code.value(&mut bits)).collect();
        assert_eq!(values, [Some(5), Some(6), Some(7), Some(8), Some(9), None]);
    }

    #[test]
    fn what_is_no_code_is_refused() {
        assert!(code(&[2], &[1, 2]).is_none(), "all ones");
        assert!(code(&[1, 2], &[1, 2, 3]).is_none(), "all ones, longer");
        assert!(code(&[1, 1], &[1]).is_none(), "too few values");
        assert!(code(&[], &[]).is_some());
    }
}
