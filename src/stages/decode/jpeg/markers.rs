//! The marker segments of a JPEG, found in the same way as in libjpeg.

/// Start of frame, sequential: baseline, extended, and extended with arithmetic coding.
pub(super) const SEQUENTIAL: [u8; 3] = [0xc0, 0xc1, 0xc9];
/// Start of frame, progressive with Huffman codes.
pub(super) const PROGRESSIVE: u8 = 0xc2;
/// Huffman tables.
pub(super) const DHT: u8 = 0xc4;
/// Restart marker 0, the first of eight.
pub(super) const RST0: u8 = 0xd0;
/// Restart marker 7.
pub(super) const RST7: u8 = 0xd7;
/// Start of image.
pub(super) const SOI: u8 = 0xd8;
/// End of image.
pub(super) const EOI: u8 = 0xd9;
/// Start of scan.
pub(super) const SOS: u8 = 0xda;
/// Quantization tables.
pub(super) const DQT: u8 = 0xdb;
/// Restart interval.
pub(super) const DRI: u8 = 0xdd;
/// Application data 0: JFIF.
pub(super) const APP0: u8 = 0xe0;
/// Application data 1: EXIF.
pub(super) const APP1: u8 = 0xe1;
/// Application data 14: Adobe.
pub(super) const APP14: u8 = 0xee;
/// A comment.
pub(super) const COM: u8 = 0xfe;

/// One marker segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment<'a> {
    pub(super) marker: u8,
    pub(super) payload: &'a [u8],
    /// Where the marker's two bytes are.
    pub(super) at: usize,
    /// Whether there are bytes in front of it that belong to no segment and are not padding.
    pub(super) is_behind_junk: bool,
}

impl<'a> Segment<'a> {
    /// The first segment at or after `from`; `None` if there is no marker, or if its segment is truncated.
    pub(super) fn next(bytes: &'a [u8], from: usize) -> Option<Self> {
        let mut at = from;
        // A marker is FF, more FF as padding, and a byte that is not 0.
        loop {
            at += bytes.get(at..)?.iter().position(|&byte| byte == 0xff)?;
            at += bytes[at..].iter().position(|&byte| byte != 0xff)?;
            if bytes[at] != 0 {
                break;
            }
            at += 1;
        }
        let (marker, body) = (bytes[at], at + 1);
        let payload = if has_payload(marker) {
            let length = u16::from_be_bytes(*bytes.get(body..)?.first_chunk()?);
            // The length includes its own two bytes. A smaller one is read as 2.
            bytes.get(body + 2..body + usize::from(length).max(2))?
        } else {
            &[]
        };
        Some(Self {
            marker,
            payload,
            at: at - 1,
            is_behind_junk: bytes[from..at].iter().any(|&byte| byte != 0xff),
        })
    }

    /// Where the segment ends.
    pub(super) fn end(&self) -> usize {
        let length = if has_payload(self.marker) { 2 } else { 0 };
        self.at + 2 + length + self.payload.len()
    }
}

/// Whether a length and a payload follow the marker.
fn has_payload(marker: u8) -> bool {
    !matches!(marker, RST0..=EOI | 0x01)
}

/// The segments up to and including the first scan header, or up to where there is no valid segment.
pub(super) fn header(bytes: &[u8]) -> impl Iterator<Item = Segment<'_>> {
    let mut at = Some(2);
    std::iter::from_fn(move || {
        let segment = Segment::next(bytes, at?)?;
        at = (segment.marker != SOS).then(|| segment.end());
        Some(segment)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn junk_and_padding_are_passed_over() {
        let bytes = b"\xff\xd8\0\x01\xff\0\xff\xff\xfe\0\x04ab\xff\xff\xff\xd0junk\xff\xda\0\x02data\xff\xd9";
        let found: Vec<_> = header(bytes).collect();
        let expected = [(COM, &b"ab"[..], 7, true), (RST0, b"", 15, false), (SOS, b"", 21, true)];
        let expected = expected.map(|(marker, payload, at, is_behind_junk)| Segment {
            marker,
            payload,
            at,
            is_behind_junk,
        });
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_cut_off_is_no_segment() {
        let whole = b"\xff\xd8\xff\xfe\0\x04ab";
        for length in 0..whole.len() {
            assert_eq!(header(&whole[..length]).count(), 0, "{length}");
        }
        assert_eq!(header(whole).count(), 1);
        // A length of 0 or 1 stands for none.
        assert_eq!(header(b"\xff\xd8\xff\xfe\0\0\xff\xfe\0\x02").count(), 2);
    }
}
