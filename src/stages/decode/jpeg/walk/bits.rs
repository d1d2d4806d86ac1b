//! The bits of compressed data, up to the first marker.

use super::super::markers::RST0;

/// Reads bits, the most significant of a byte first.
#[derive(Clone)]
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    /// The place behind the current byte.
    at: usize,
    byte: u8,
    /// Unread bits of the current byte.
    left: u32,
}

impl<'a> Bits<'a> {
    /// The bits from byte `at` on.
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self {
            bytes,
            at,
            byte: 0,
            left: 0,
        }
    }

    /// The next bit; `None` at the end of the data.
    pub(super) fn bit(&mut self) -> Option<u32> {
        if self.left == 0 {
            (self.byte, self.at) = byte_at(self.bytes, self.at)?;
            self.left = 8;
        }
        self.left -= 1;
        Some(u32::from(self.byte >> self.left & 1))
    }

    /// The next `count` bits as a number.
    pub(super) fn number(&mut self, count: u32) -> Option<u32> {
        (0..count).try_fold(0, |number, _| Some(number << 1 | self.bit()?))
    }

    /// A signed number of `size` bits in JPEG's encoding.
    pub(super) fn signed(&mut self, size: u32) -> Option<i32> {
        let number = self.number(size)? as i32;
        let is_negative = size > 0 && number < 1 << (size - 1);
        Some(if is_negative { number + 1 - (1 << size) } else { number })
    }

    /// Continues behind restart marker `number` modulo 8, which must follow the current byte.
    pub(super) fn restart(&mut self, number: u32) -> Option<()> {
        let padding = self.bytes.get(self.at..)?.iter().position(|&byte| byte != 0xff)?;
        let marker = self.at + padding;
        let is_there = padding > 0 && self.bytes[marker] == RST0 + (number % 8) as u8;
        (self.at, self.left) = (marker + 1, 0);
        is_there.then_some(())
    }

    /// The place behind the current byte.
    pub(super) fn end(&self) -> usize {
        self.at
    }

    /// Whether the unread bits of the current byte are all 1, which is how encoders fill it up.
    pub(super) fn is_filled_up(&self) -> bool {
        let mask = (1_u32 << self.left) - 1;
        u32::from(self.byte) & mask == mask
    }

    /// The place of the next bit, counted from the first byte.
    pub(super) fn place(&self) -> usize {
        8 * self.at - self.left as usize
    }

    /// Whether only unread bits of the current byte are left.
    pub(super) fn is_at_end(&self) -> bool {
        byte_at(self.bytes, self.at).is_none()
    }
}

/// The data byte at `at` and the place of the next one; `None` at a marker and at the end.
fn byte_at(bytes: &[u8], at: usize) -> Option<(u8, usize)> {
    let byte = *bytes.get(at)?;
    if byte != 0xff {
        return Some((byte, at + 1));
    }
    // FF is stored with a 0 behind it. libjpeg accepts more FFs in between.
    let after = at + bytes[at..].iter().position(|&byte| byte != 0xff)?;
    (bytes[after] == 0).then_some((0xff, after + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_end_at_a_marker() {
        let mut bits = Bits::new(b"\xa5\xff\0\x0f\xff\xd9", 0);
        assert_eq!(bits.number(4), Some(0xa));
        assert_eq!(bits.number(12), Some(0x5ff));
        assert!(!bits.is_at_end());
        assert_eq!(bits.number(5), Some(1));
        assert!(bits.is_filled_up() && bits.is_at_end());
        assert_eq!(bits.end(), 4);
        assert_eq!(bits.number(3), Some(7));
        assert_eq!(bits.bit(), None);
    }

    #[test]
    fn signs() {
        // 0: -1, 1: 1; two bits: -3, -2, 2, 3.
        for (byte, size, value) in [
            (0, 1, -1),
            (0x80, 1, 1),
            (0, 2, -3),
            (0x40, 2, -2),
            (0x80, 2, 2),
            (0xc0, 2, 3),
        ] {
            assert_eq!(Bits::new(&[byte], 0).signed(size), Some(value));
        }
        assert_eq!(Bits::new(b"", 0).signed(0), Some(0));
    }

    #[test]
    fn restarts_follow_at_once() {
        for (bytes, is_there) in [
            (&b"\x80\xff\xd3\x40"[..], true),
            (b"\x80\xff\xff\xd3\x40", true),
            (b"\x80\xff\xd4\x40", false),
            (b"\x80\0\xff\xd3\x40", false),
            (b"\x80", false),
            (b"\x80\xff", false),
        ] {
            let mut bits = Bits::new(bytes, 0);
            bits.bit().unwrap();
            assert_eq!(bits.restart(11).is_some(), is_there, "{bytes:?}");
            if is_there {
                assert_eq!(bits.number(2), Some(1));
            }
        }
    }
}
