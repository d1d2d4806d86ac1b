//! The EXIF orientation.
//!
//! A broken EXIF block is never an error: the image is then used as it is stored.

use super::jpeg::exif_blocks;

/// Its tag.
const ORIENTATION: u32 = 0x0112;

/// The orientation of a JPEG, 1 to 8; 1 if there is none or it is invalid.
pub(super) fn of_jpeg(bytes: &[u8]) -> u8 {
    exif_blocks(bytes).find_map(of_tiff).unwrap_or(1)
}

/// The orientation in the first directory of a TIFF, if there is one from 1 to 8.
pub(super) fn of_tiff(bytes: &[u8]) -> Option<u8> {
    let tiff = Tiff::new(bytes)?;
    let directory = tiff.number(4, 4)? as usize;
    let entries = tiff.number(directory, 2)? as usize;
    let mut places = (0..entries).map(|i| directory + 2 + 12 * i);
    let entry = places.find(|&at| tiff.number(at, 2) == Some(ORIENTATION))?;
    tiff.first_value(entry)
        .filter(|value| (1..=8).contains(value))
        .map(|value| value as u8)
}

/// A TIFF, the format of EXIF blocks.
struct Tiff<'a> {
    bytes: &'a [u8],
    is_little_endian: bool,
}

impl<'a> Tiff<'a> {
    fn new(bytes: &'a [u8]) -> Option<Self> {
        // Some files have the bytes of the magic number in the wrong order.
        let is_little_endian = match bytes.get(..4)? {
            b"II*\0" | b"II\0*" => true,
            b"MM\0*" | b"MM*\0" => false,
            _ => return None,
        };
        Some(Self {
            bytes,
            is_little_endian,
        })
    }

    /// The number of `size` bytes at `at`.
    fn number(&self, at: usize, size: usize) -> Option<u32> {
        let bytes = self.bytes.get(at..at.checked_add(size)?)?;
        let add = |number: u32, &byte: &u8| number << 8 | u32::from(byte);
        Some(if self.is_little_endian {
            bytes.iter().rev().fold(0, add)
        } else {
            bytes.iter().fold(0, add)
        })
    }

    /// The first value of the entry at `at`, if its type is an integer. A negative number is read as a large one.
    fn first_value(&self, at: usize) -> Option<u32> {
        let size = match self.number(at + 2, 2)? {
            // BYTE, SBYTE; SHORT, SSHORT; LONG, SLONG.
            1 | 6 => 1,
            3 | 8 => 2,
            4 | 9 => 4,
            _ => return None,
        };
        match self.number(at + 4, 4)? as usize {
            0 => None,
            // Values are stored in the entry itself if they fit.
            count if count <= 4 / size => self.number(at + 8, size),
            _ => self.number(self.number(at + 8, 4)? as usize, size),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A TIFF whose first directory has an entry before the orientation.
    fn tiff(little: bool, kind: u16, count: u32, value: &[u8]) -> Vec<u8> {
        let short = |n: u16| if little { n.to_le_bytes() } else { n.to_be_bytes() };
        let long = |n: u32| if little { n.to_le_bytes() } else { n.to_be_bytes() };
        let mut out = if little { b"II*\0" } else { b"MM\0*" }.to_vec();
        out.extend(long(8));
        out.extend(short(2));
        out.extend([short(0x0100), short(4)].concat());
        out.extend([long(1), long(6)].concat());
        out.extend([short(0x0112), short(kind)].concat());
        out.extend(long(count));
        if value.len() <= 4 {
            out.extend(value);
            out.resize(8 + 2 + 24, 0);
        } else {
            out.extend(long(8 + 2 + 24));
            out.extend(value);
        }
        out
    }

    /// `count` numbers of `size` bytes, of which the first is `value`.
    fn values(little: bool, size: usize, count: u32, value: u32) -> Vec<u8> {
        let number = |n: u32| {
            if little {
                n.to_le_bytes()[..size].to_vec()
            } else {
                n.to_be_bytes()[4 - size..].to_vec()
            }
        };
        (0..count)
            .flat_map(|i| number(if i == 0 { value } else { 3 }))
            .collect()
    }

    #[test]
    fn whole_numbers_of_any_type() {
        for little in [true, false] {
            for (kind, size) in [(1, 1), (6, 1), (3, 2), (8, 2), (4, 4), (9, 4)] {
                for count in [1, 2, 3, 5, 100] {
                    for value in 1..=8 {
                        let bytes = tiff(little, kind, count, &values(little, size, count, value));
                        let got = of_tiff(&bytes);
                        assert_eq!(got, Some(value as u8), "{little} {kind} {count}");
                    }
                    for value in [0, 9, 255, 0x0101, u32::MAX, u32::MAX - 5] {
                        let value = value & (u32::MAX >> (32 - 8 * size as u32));
                        if !(1..=8).contains(&value) {
                            let bytes = tiff(little, kind, count, &values(little, size, count, value));
                            assert_eq!(of_tiff(&bytes), None, "{little} {kind} {count} {value}");
                        }
                    }
                }
                assert_eq!(of_tiff(&tiff(little, kind, 0, &[6, 6, 6, 6])), None);
            }
            // ASCII, RATIONAL, UNDEFINED, FLOAT and none.
            for kind in [0, 2, 5, 7, 10, 11, 12, 13, 600] {
                assert_eq!(of_tiff(&tiff(little, kind, 1, &[0, 6, 0, 6])), None, "{kind}");
            }
        }
    }

    #[test]
    fn what_is_cut_off_gives_none() {
        for little in [true, false] {
            let whole = tiff(little, 4, 3, &values(little, 4, 3, 6));
            for length in 0..whole.len() - 8 {
                assert_eq!(of_tiff(&whole[..length]), None, "{length}");
            }
            assert_eq!(of_tiff(&whole), Some(6));
        }
        // An offset beyond everything.
        let mut bytes = tiff(true, 3, 9, &[6, 0, 0, 0, 0, 0]);
        bytes[30..34].fill(0xff);
        assert_eq!(of_tiff(&bytes), None);
        bytes[4..8].fill(0xff);
        assert_eq!(of_tiff(&bytes), None);
    }

    #[test]
    fn the_first_block_that_gives_one_counts() {
        let block = |payload: &[u8]| {
            let length = (payload.len() as u16 + 2).to_be_bytes();
            [b"\xff\xe1", &length[..], payload].concat()
        };
        let of = |orientation| [b"Exif\0\0", &tiff(false, 3, 1, &[0, orientation])[..]].concat();
        let jpeg = |blocks: &[Vec<u8>]| [&b"\xff\xd8"[..], &blocks.concat()].concat();
        assert_eq!(of_jpeg(&jpeg(&[block(&of(6)), block(&of(3))])), 6);
        assert_eq!(
            of_jpeg(&jpeg(&[block(b"http://ns.adobe.com/xap/1.0/\0"), block(&of(3))])),
            3
        );
        for broken in [
            &b""[..],
            b"Exif\0",
            b"Exif\0\0",
            b"Exif\0\0II*\0\xff\xff\xff\xff",
            &of(9),
        ] {
            assert_eq!(of_jpeg(&jpeg(&[block(broken)])), 1);
            assert_eq!(of_jpeg(&jpeg(&[block(broken), block(&of(8))])), 8);
        }
    }
}
