//! The markers before a JPEG's first scan: the EXIF orientation, and repair of junk that libjpeg warns about.
//!
//! A broken EXIF block is never an error: the image is then taken as it is stored.

use image::metadata::Orientation;

/// One marker segment before the first scan.
struct Segment<'a> {
    marker: u8,
    payload: &'a [u8],
    /// Bytes between the previous segment and this one that belong to neither.
    junk: usize,
    /// Where the marker's two bytes begin.
    at: usize,
}

/// Walks the segments up to the first scan, or to where they stop making sense.
struct Segments<'a> {
    bytes: &'a [u8],
    at: usize,
}

const SOS: u8 = 0xda;
const APP0: u8 = 0xe0;
const APP1: u8 = 0xe1;

fn segments(bytes: &[u8]) -> Segments<'_> {
    Segments { bytes, at: 2 }
}

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        let from = self.at;
        let mut at = from;
        // As libjpeg does: a marker is FF, more FF as padding, and a byte that is not 0.
        loop {
            at += self.bytes.get(at..)?.iter().position(|&byte| byte == 0xff)?;
            let run = self.bytes[at..].iter().position(|&byte| byte != 0xff)?;
            at += run;
            if self.bytes[at] != 0 {
                break;
            }
            at += 1;
        }
        let marker = self.bytes[at];
        let length = self.bytes.get(at + 1..at + 3)?;
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        let payload = self.bytes.get(at + 3..at + 1 + length.max(2))?;
        self.at = if marker == SOS {
            self.bytes.len()
        } else {
            at + 1 + length.max(2)
        };
        Some(Segment {
            marker,
            payload,
            junk: at - 1 - from,
            at: at - 1,
        })
    }
}

/// The EXIF orientation of a JPEG, 1 to 8; 1 where none is given or it makes no sense.
pub(super) fn orientation(bytes: &[u8]) -> u8 {
    let tiff = |s: Segment<'_>| -> Option<Orientation> {
        let tiff = s.payload.strip_prefix(b"Exif\0").filter(|_| s.marker == APP1)?;
        Orientation::from_exif_chunk(tiff.get(1..)?)
    };
    segments(bytes).find_map(tiff).map_or(1, Orientation::to_exif)
}

/// Writes the JPEG without what libjpeg warns about although it harms nothing: junk between the header's segments and
/// an unknown JFIF version. False where there is nothing to repair.
///
/// Why not ignore the warning: libjpeg reports only the first, and a later one may be about damaged pixels.
pub(super) fn repair(bytes: &[u8], out: &mut Vec<u8>) -> bool {
    out.clear();
    out.extend_from_slice(&bytes[..bytes.len().min(2)]);
    let mut repaired = false;
    for segment in segments(bytes) {
        repaired |= segment.junk > 0
            && bytes[segment.at - segment.junk..segment.at]
                .iter()
                .any(|&byte| byte != 0xff);
        if segment.marker == SOS {
            out.extend_from_slice(&bytes[segment.at..]);
            return repaired;
        }
        let start = out.len();
        out.extend_from_slice(&bytes[segment.at..segment.at + 4 + segment.payload.len()]);
        if segment.marker == APP0 && segment.payload.starts_with(b"JFIF\0") && segment.payload.len() > 6 {
            let major = &mut out[start + 4 + 5];
            repaired |= *major != 1 && *major != 2;
            *major = 1;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn junk_between_segments_is_skipped_and_removed() {
        let clean = b"\xff\xd8\xff\xfe\0\x04ab\xff\xda\0\x02data";
        let dirty = b"\xff\xd8\0\x01\xff\0\xff\xff\xfe\0\x04ab\xff\xffjunk\xff\xda\0\x02data";
        let mut out = Vec::new();
        assert!(!repair(clean, &mut out), "nothing to repair");
        let marker_after_text = segments(dirty).map(|s| s.marker).collect::<Vec<_>>();
        assert_eq!(marker_after_text[0], 0xfe);
        let dirty = b"\xff\xd8\0\x01\xff\0\xff\xff\xfe\0\x04abjunk\xff\xda\0\x02data";
        assert!(repair(dirty, &mut out));
        assert_eq!(out, clean);
    }

    #[test]
    fn broken_exif_means_upright() {
        for payload in [
            &b""[..],
            b"Exif\0",
            b"Exif\0\0",
            b"Exif\0\0II*\0\xff\xff\xff\xff",
            b"Exif\0\0MM\0*\0\0\0\x08\xff\xff",
        ] {
            let mut bytes = b"\xff\xd8\xff\xe1".to_vec();
            bytes.extend_from_slice(&(payload.len() as u16 + 2).to_be_bytes());
            bytes.extend_from_slice(payload);
            assert_eq!(orientation(&bytes), 1);
        }
    }
}
