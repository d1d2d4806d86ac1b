//! Bytes behind the last MCU of an image: what somebody appended, or what damage left over?
//!
//! A wrong bit makes a decoder read on at wrong places. It may then find all MCUs before the data end, and what is left over
//! looks like a trailer. So a trailer is believed to be one only where it cannot be data of this image; in doubt it is not.

use std::collections::HashSet;
use std::ops::Range;

use super::bits::Bits;
use super::sequential::Sequential;

/// So many bytes that repeat others are no chance.
const REPEATED: usize = 8;
/// After how many bytes they may do so.
const LONGEST_PERIOD: usize = 8;
/// So many characters in a row are no chance, so near to the beginning.
const CHARACTERS: usize = 12;
const BEFORE_CHARACTERS: usize = 16;
/// In fewer bytes there may be no whole block of the image, and of so few some reading is possible by chance.
const READ: usize = 64;
/// So many equal bytes at the end may stand apart from what is in front of them.
const RUN: usize = 2;
/// So many blocks that can be read are no chance.
const MANY: usize = 80;

/// Whether the bytes from the end of `data` up to `until` are not an image's; `scan` is how they would be read.
pub(super) fn is_foreign(bytes: &[u8], data: Range<usize>, until: usize, scan: Option<&Sequential>) -> bool {
    let leftover = &bytes[data.end..until];
    // An image of one colour has data that are always the same.
    let is_in_data = |piece: &[u8]| bytes[data.clone()].windows(piece.len()).any(|window| window == piece);
    if let Some(period) = (1..=LONGEST_PERIOD).find(|&period| repeats(leftover, period)) {
        // What continues the data may be what the end of the file was overwritten with.
        let continues = bytes[data.end - 1] == leftover[period - 1];
        return !continues && !is_in_data(&leftover[..period + REPEATED]);
    }
    if begins_with_characters(leftover) {
        return !is_in_data(&leftover[..CHARACTERS]);
    }
    // What was left over may have been followed by something in its turn.
    let run = leftover
        .iter()
        .rev()
        .take_while(|&byte| Some(byte) == leftover.last())
        .count();
    let behind = if run < RUN { 0 } else { run };
    let ends = [0, behind, behind.saturating_sub(1)].map(|behind| leftover.len() - behind);
    scan.is_some_and(|scan| {
        leftover.len() >= READ.max(scan.longest / 4)
            && !ends.into_iter().any(|length| scan.may_go_on(bytes, data.end, length))
    })
}

/// Whether nothing but data ends where `data` do: not what a file is overwritten with, that happens to be read as data.
pub(super) fn is_end(bytes: &[u8], data: Range<usize>) -> bool {
    !bytes[data].ends_with(&[0; REPEATED])
}

/// Whether each byte, and there are enough, is the one `period` bytes before.
fn repeats(leftover: &[u8], period: usize) -> bool {
    leftover.len() >= period + REPEATED
        && leftover
            .iter()
            .zip(&leftover[period..])
            .all(|(before, byte)| before == byte)
}

/// Whether there are characters, behind a few bytes of which most are 0: so the trailers of Samsung's cameras begin.
fn begins_with_characters(leftover: &[u8]) -> bool {
    let is_character = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ' || *byte == b'\n' || *byte == b'\r';
    let before = (0..=BEFORE_CHARACTERS).find(|&before| {
        let characters = leftover.get(before..before + CHARACTERS);
        characters.is_some_and(|characters| characters.iter().all(is_character))
    });
    before.is_some_and(|before| {
        let (zeros, others): (Vec<u8>, Vec<u8>) = leftover[..before].iter().partition(|&&byte| byte == 0);
        zeros.len() >= others.len()
    })
}

impl Sequential {
    /// Whether some part of the `length` bytes from `from` on can be read as blocks up to the last bit, as the rest of a scan can
    /// whose beginning was read wrongly, or for so long that it is no chance.
    fn may_go_on(&self, bytes: &[u8], from: usize, length: usize) -> bool {
        let mut bits = Bits::new(&bytes[..from + length], from);
        let mut dead = HashSet::new();
        for _ in 0..8 * READ.min(length) + self.longest {
            if (0..self.blocks.len()).any(|block| self.reads_on(bits.clone(), block, &mut dead)) {
                return true;
            }
            if bits.bit().is_none() {
                break;
            }
        }
        false
    }

    /// Whether blocks can be read from here on, of which the first is number `block` of an MCU; `dead` are places from which
    /// they cannot.
    fn reads_on(&self, mut bits: Bits<'_>, mut block: usize, dead: &mut HashSet<(usize, usize)>) -> bool {
        for _ in 0..MANY {
            if !dead.insert((bits.place(), block)) || self.block(&self.blocks[block], &mut bits).is_none() {
                return false;
            }
            block = (block + 1) % self.blocks.len();
            if block == 0 && bits.is_at_end() && bits.is_filled_up() {
                return true;
            }
        }
        true
    }
}
