//! Bytes behind the last MCU of an image: an appended trailer, or data left over because of damage?
//!
//! A wrong bit makes a decoder continue at the wrong place. It may then find all MCUs before the data end, and the remaining
//! data look like a trailer. So bytes count as a trailer only if they cannot be data of this image; in doubt they do not.

use std::collections::HashSet;
use std::ops::Range;

use super::bits::Bits;
use super::sequential::Sequential;

/// This many repeated bytes are no coincidence.
const REPEATED: usize = 8;
/// The longest period of repetition.
const LONGEST_PERIOD: usize = 8;
/// This many characters in a row are no coincidence, if they begin within the first [`BEFORE_CHARACTERS`] bytes.
const CHARACTERS: usize = 12;
const BEFORE_CHARACTERS: usize = 16;
/// Fewer bytes may not contain a whole block, and can be read as something by coincidence.
const READ: usize = 64;
/// This many equal bytes at the end may be separate from what precedes them.
const RUN: usize = 2;
/// This many readable blocks are no coincidence.
const MANY: usize = 80;

/// Whether the bytes from the end of `data` up to `until` cannot be data of this image. `scan` is how they would be read.
pub(super) fn is_foreign(bytes: &[u8], data: Range<usize>, until: usize, scan: Option<&Sequential>) -> bool {
    let leftover = &bytes[data.end..until];
    // The data of an image of one colour repeat themselves, too.
    let is_in_data = |piece: &[u8]| bytes[data.clone()].windows(piece.len()).any(|window| window == piece);
    if let Some(period) = (1..=LONGEST_PERIOD).find(|&period| repeats(leftover, period)) {
        // If the repetition continues the data, the end of the file may have been overwritten with it.
        let continues = bytes[data.end - 1] == leftover[period - 1];
        return !continues && !is_in_data(&leftover[..period + REPEATED]);
    }
    if begins_with_characters(leftover) {
        return !is_in_data(&leftover[..CHARACTERS]);
    }
    // Leftover data may be followed by something else.
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

/// Whether `data` end as real data do: not with zeros that overwrote the file and happen to be readable.
pub(super) fn is_end(bytes: &[u8], data: Range<usize>) -> bool {
    !bytes[data].ends_with(&[0; REPEATED])
}

/// Whether there are enough bytes, and each equals the one `period` bytes before it.
fn repeats(leftover: &[u8], period: usize) -> bool {
    leftover.len() >= period + REPEATED
        && leftover
            .iter()
            .zip(&leftover[period..])
            .all(|(before, byte)| before == byte)
}

/// Whether there is text behind a few bytes, most of them 0. The trailers of Samsung's cameras begin like this.
fn begins_with_characters(leftover: &[u8]) -> bool {
    let is_character = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ' || *byte == b'\n' || *byte == b'\r';
    let before = (0..=BEFORE_CHARACTERS).find(|&before| {
        let characters = leftover.get(before..before + CHARACTERS);
        characters.is_some_and(|characters| characters.iter().all(is_character))
    });
    before.is_some_and(|before| {
        let others = leftover[..before].iter().filter(|&&byte| byte != 0);
        2 * others.count() <= before
    })
}

impl Sequential {
    /// Whether some part of the `length` bytes from `from` on can be read as blocks up to the last bit, like the rest of a scan
    /// whose beginning was misread, or for so long that it is no coincidence.
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

    /// Whether blocks can be read from here on, beginning with number `block` of an MCU. `dead` has the places from which they
    /// cannot.
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
