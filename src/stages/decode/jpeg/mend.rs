//! Removes harmless faults from a JPEG: faults that libjpeg refuses although no pixel is lost.
//!
//! Ignoring libjpeg's warnings is not enough: it reports only the first, and a later one may be about lost pixels. So a copy
//! without the harmless faults is made, and libjpeg judges that copy.

use super::markers::{APP0, APP14, COM, DHT, DQT, DRI, EOI, RST0, RST7, SOI, SOS, Segment};
use super::walk::{End, Scans};
use crate::dataset::Encoded;

/// Writes the JPEG into `out` without: junk between segments, an unknown JFIF version, an unknown Adobe transformation,
/// progressive parameters in sequential scans, and anything between the last MCU and the end marker, or in its place. `None` if
/// there is no such fault, or the image has more than `max_pixels`.
pub(in crate::stages::decode) fn mend<'a>(
    encoded: Encoded<'a>,
    max_pixels: u64,
    out: &'a mut Vec<u8>,
) -> Option<Encoded<'a>> {
    let Encoded::File(bytes @ [0xff, SOI, ..]) = encoded else {
        return None;
    };
    out.clear();
    out.extend_from_slice(&bytes[..2]);
    let mut mending = Mending {
        bytes,
        out,
        scans: Scans::new(max_pixels),
        is_changed: false,
        adobe: Vec::new(),
        complete: None,
    };
    mending.run();
    mending.set_transformation();
    mending.is_changed.then_some(Encoded::File(out))
}

struct Mending<'a, 'o> {
    bytes: &'a [u8],
    out: &'o mut Vec<u8>,
    scans: Scans,
    is_changed: bool,
    /// Places of Adobe transformations in `out`.
    adobe: Vec<usize>,
    /// Length of `out` when the image was complete.
    complete: Option<usize>,
}

/// What to do with the bytes behind a scan's data.
enum Next {
    /// Continue with the segment there.
    Segment,
    /// Drop them: the image ends here.
    Cut,
    /// Leave them to libjpeg.
    Leave,
}

impl<'a> Mending<'a, '_> {
    fn run(&mut self) {
        let mut at = 2;
        let mut is_in_header = true;
        while let Some(segment) = Segment::next(self.bytes, at) {
            // Behind the first scan, junk may be the data of a scan whose header was lost.
            if segment.is_behind_junk && !is_in_header {
                break;
            }
            self.is_changed |= segment.is_behind_junk;
            if segment.marker == EOI {
                return self.end();
            }
            let place = self.copy(&segment);
            at = segment.end();
            if segment.marker != SOS {
                if self.scans.see(&segment).is_none() {
                    break;
                }
                continue;
            }
            is_in_header = false;
            self.mend_scan_header(&segment, place);
            let Some(end) = self.scans.read(self.bytes, &segment) else {
                break;
            };
            self.out.extend_from_slice(&self.bytes[at..end.at]);
            match self.next(at, end) {
                Next::Segment => {}
                Next::Cut => {
                    self.is_changed = true;
                    return self.end();
                }
                Next::Leave => {
                    at = end.at;
                    break;
                }
            }
            at = end.at;
        }
        if let Some(length) = self.complete {
            // Nothing valid up to an end marker followed it.
            self.is_changed = true;
            self.out.truncate(length);
            return self.end();
        }
        self.out.extend_from_slice(&self.bytes[at..]);
    }

    fn end(&mut self) {
        self.out.extend_from_slice(&[0xff, EOI]);
    }

    /// Copies a segment, mends it if it is application data, and returns the place of its payload.
    fn copy(&mut self, segment: &Segment<'a>) -> usize {
        let place = self.out.len() + 4;
        self.out.extend_from_slice(&self.bytes[segment.at..segment.end()]);
        let payload = segment.payload;
        if segment.marker == APP0 && payload.starts_with(b"JFIF\0") && payload.len() >= 14 {
            self.set(place + 5, 1);
        }
        if segment.marker == APP14 && payload.starts_with(b"Adobe") && payload.len() >= 12 {
            self.adobe.push(place + 11);
        }
        place
    }

    fn set(&mut self, at: usize, value: u8) {
        self.is_changed |= self.out[at] != value;
        self.out[at] = value;
    }

    /// Resets the parameters of a sequential scan that have no meaning there: it contains all coefficients.
    fn mend_scan_header(&mut self, segment: &Segment<'_>, place: usize) {
        if self.scans.is_sequential() && segment.payload.len() >= 3 {
            for (i, value) in [0, 63, 0].into_iter().enumerate() {
                self.set(place + segment.payload.len() - 3 + i, value);
            }
        }
    }

    /// Replaces an Adobe transformation that libjpeg does not know by the one that it assumes instead.
    fn set_transformation(&mut self) {
        let components = self.scans.frame().map(|frame| frame.components().len());
        let transformed = match components {
            Some(3) => 1,
            Some(4) => 2,
            _ => return,
        };
        for at in std::mem::take(&mut self.adobe) {
            if self.out[at] != 0 {
                self.set(at, transformed);
            }
        }
    }

    /// What to do with the bytes behind the scan whose data begin at `start` and end at `end`.
    fn next(&mut self, start: usize, end: End) -> Next {
        let rest = &self.bytes[end.at..];
        let marker = rest
            .windows(2)
            .position(|pair| pair[0] == 0xff && !matches!(pair[1], 0 | 0xff));
        let until = marker.unwrap_or(rest.len());
        // More FF before a marker is padding.
        let leftover = rest[..until]
            .iter()
            .rposition(|&byte| byte != 0xff)
            .map_or(0, |last| last + 1);
        let marker = marker.map(|at| rest[at + 1]);
        let is_complete = self.scans.is_complete();
        if leftover == 0 {
            match marker {
                Some(EOI | DHT | DQT | DRI | COM | APP0..=0xef) => {
                    self.complete = is_complete.then_some(self.out.len());
                    return Next::Segment;
                }
                Some(SOS) if !self.scans.is_single() => return Next::Segment,
                Some(SOS | RST0..=RST7) => return Next::Leave,
                _ if !end.is_sure(self.bytes, start) => return Next::Leave,
                _ => {}
            }
        } else if matches!(marker, Some(RST0..=RST7 | SOS))
            || !self.scans.are_foreign(self.bytes, start, end, end.at + leftover)
        {
            return Next::Leave;
        }
        if is_complete { Next::Cut } else { Next::Leave }
    }
}
