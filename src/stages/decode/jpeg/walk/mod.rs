//! Finds where the compressed data of a JPEG's scans end, by reading every code and accepting only valid ones.
//!
//! libjpeg does not tell where it stopped reading. Only files that libjpeg refuses are read here, so speed does not matter.

mod bits;
mod leftover;
mod progressive;
mod sequential;
mod tables;

use super::frame_header::{Component, FrameHeader};
use super::markers::{PROGRESSIVE, Segment};
use bits::Bits;
use progressive::{Band, Known, Restarts};
use sequential::{Block, Sequential};
use tables::Tables;

/// Start of frame, sequential with Huffman codes.
const HUFFMAN: [u8; 2] = [0xc0, 0xc1];

/// The scans of a JPEG that have been read so far.
pub(super) struct Scans {
    max_pixels: u64,
    frame: Option<(u8, FrameHeader)>,
    tables: Tables,
    /// For each coefficient of each component, the lowest known bit.
    lowest: [[Option<u8>; 64]; 4],
    known: [Known; 4],
    /// The latest scan, if it is sequential.
    last: Option<Sequential>,
}

/// The end of a scan's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    /// The place behind the last byte.
    pub(super) at: usize,
    /// Whether the rest of the last byte is filled up with 1s, as it should be.
    is_filled_up: bool,
}

impl End {
    /// Whether the data, which begin at `start`, certainly end here, although no marker follows.
    pub(super) fn is_sure(&self, bytes: &[u8], start: usize) -> bool {
        self.is_filled_up && leftover::is_end(bytes, start..self.at)
    }
}

impl Scans {
    /// No scans yet. An image of more than `max_pixels` is refused: the notes on a progressive image grow with its size.
    pub(super) fn new(max_pixels: u64) -> Self {
        Self {
            max_pixels,
            frame: None,
            tables: Tables::default(),
            lowest: [[None; 64]; 4],
            known: Default::default(),
            last: None,
        }
    }

    /// Processes a segment that is no scan header; `None` if it is invalid.
    pub(super) fn see(&mut self, segment: &Segment<'_>) -> Option<()> {
        if matches!(segment.marker, 0xc0..=0xcf if !matches!(segment.marker, 0xc4 | 0xc8 | 0xcc)) {
            let frame = FrameHeader::read(segment.payload)?;
            let pixels = u64::from(frame.width) * u64::from(frame.height);
            (pixels <= self.max_pixels).then_some(())?;
            self.frame = Some((segment.marker, frame));
        }
        self.tables.define(segment)
    }

    /// The frame header, if one was seen.
    pub(super) fn frame(&self) -> Option<&FrameHeader> {
        self.frame.as_ref().map(|(_, frame)| frame)
    }

    /// Whether the frame is sequential: then every scan contains all coefficients of its components.
    pub(super) fn is_sequential(&self) -> bool {
        self.frame
            .as_ref()
            .is_some_and(|(marker, _)| super::markers::SEQUENTIAL.contains(marker))
    }

    /// Whether all coefficients of all components are known to the last bit.
    pub(super) fn is_complete(&self) -> bool {
        self.frame.as_ref().is_some_and(|(_, frame)| {
            let lowest = self.lowest.iter().take(frame.components().len());
            lowest.flatten().all(|&bit| bit == Some(0))
        })
    }

    /// Whether no further scan is allowed.
    pub(super) fn is_single(&self) -> bool {
        let Some((marker, frame)) = &self.frame else {
            return false;
        };
        let blocks = self.last.as_ref().map(|last| &last.blocks);
        let of_last = blocks.and_then(|blocks| Some(blocks.last()?.component + 1));
        *marker != PROGRESSIVE && of_last == Some(frame.components().len())
    }

    /// Reads the data of the scan with the header `header`; `None` if they are incomplete or invalid.
    pub(super) fn read(&mut self, bytes: &[u8], header: &Segment<'_>) -> Option<End> {
        let (marker, frame) = self.frame.clone()?;
        let scan = Scan::read(&frame, header.payload)?;
        let mut bits = Bits::new(bytes, header.end());
        if HUFFMAN.contains(&marker) {
            let mut sequential = scan.sequential(&frame, &self.tables)?;
            sequential.read(&mut bits)?;
            scan.indices().for_each(|i| self.lowest[i] = [Some(0); 64]);
            self.last = Some(sequential);
        } else if marker == PROGRESSIVE {
            self.progress(&scan)?;
            self.progressive(&frame, &scan, &mut bits)?;
        } else {
            return None;
        }
        Some(End {
            at: bits.end(),
            is_filled_up: bits.is_filled_up(),
        })
    }

    /// Records the bits that a progressive scan adds; `None` if the scan does not fit the previous ones.
    fn progress(&mut self, scan: &Scan) -> Option<()> {
        let Band { first, last, high, low } = scan.band;
        let is_possible = first <= last
            && last < 64
            && (first > 0 || last == 0)
            && (first == 0 || scan.count == 1)
            && (high == 0 || high == low + 1)
            && low <= 13;
        is_possible.then_some(())?;
        for i in scan.indices() {
            for bit in &mut self.lowest[i][usize::from(first)..=usize::from(last)] {
                (bit.unwrap_or(0) == high).then_some(())?;
                *bit = Some(low);
            }
        }
        Some(())
    }

    fn progressive(&mut self, frame: &FrameHeader, scan: &Scan, bits: &mut Bits<'_>) -> Option<()> {
        let restarts = Restarts::new(self.tables.interval);
        if scan.band.first == 0 {
            let codes: Vec<_> = scan
                .blocks(frame)
                .map(|part| self.tables.dc(scan.parts[part].dc))
                .collect();
            return progressive::dc(bits, scan.mcus(frame), restarts, &codes, scan.band);
        }
        let part = scan.parts[0];
        let (across, down) = frame.blocks(&frame.components()[part.index]);
        let known = &mut self.known[part.index];
        known.resize(across as usize * down as usize, 0);
        progressive::ac(bits, restarts, &*self.tables.ac(part.ac)?, scan.band, known)
    }

    /// Whether the bytes behind the latest scan, up to `until`, cannot be data of this image. `bytes` is the JPEG, `start` the
    /// beginning of the scan's data.
    pub(super) fn are_foreign(&self, bytes: &[u8], start: usize, end: End, until: usize) -> bool {
        end.is_filled_up && leftover::is_foreign(bytes, start..end.at, until, self.last.as_ref())
    }
}

/// A scan's header.
struct Scan {
    parts: [Part; 4],
    count: usize,
    band: Band,
}

/// One component of a scan.
#[derive(Clone, Copy, Default)]
struct Part {
    /// Its index in the frame.
    index: usize,
    dc: u8,
    ac: u8,
}

impl Scan {
    fn read(frame: &FrameHeader, payload: &[u8]) -> Option<Self> {
        let (&count, rest) = payload.split_first()?;
        let count = usize::from(count);
        let (stored, &[first, last, bits]) = rest.split_last_chunk()?;
        if !(1..=4).contains(&count) || stored.len() != 2 * count {
            return None;
        }
        let mut parts = [Part::default(); 4];
        for (part, stored) in parts.iter_mut().zip(stored.chunks_exact(2)) {
            let components = frame.components();
            let index = components.iter().position(|component| component.id == stored[0])?;
            *part = Part {
                index,
                dc: stored[1] >> 4,
                ac: stored[1] & 15,
            };
        }
        let is_twice = (1..count).any(|i| parts[..i].iter().any(|part| part.index == parts[i].index));
        (!is_twice).then_some(Self {
            parts,
            count,
            band: Band {
                first,
                last,
                high: bits >> 4,
                low: bits & 15,
            },
        })
    }

    /// The indices of its components in the frame.
    fn indices(&self) -> impl Iterator<Item = usize> {
        self.parts[..self.count].iter().map(|part| part.index)
    }

    fn components<'f>(&self, frame: &'f FrameHeader) -> impl Iterator<Item = &'f Component> {
        self.indices().map(|index| &frame.components()[index])
    }

    /// The part that each block of an MCU belongs to.
    fn blocks(&self, frame: &FrameHeader) -> impl Iterator<Item = usize> {
        let is_alone = self.count == 1;
        self.components(frame).enumerate().flat_map(move |(part, component)| {
            let (across, down) = component.factors;
            let blocks = if is_alone { 1 } else { across * down };
            (0..blocks).map(move |_| part)
        })
    }

    fn mcus(&self, frame: &FrameHeader) -> u64 {
        let (across, down) = if self.count == 1 {
            frame.blocks(&frame.components()[self.parts[0].index])
        } else {
            let (width, height) = frame.mcu();
            (frame.width.div_ceil(width), frame.height.div_ceil(height))
        };
        u64::from(across) * u64::from(down)
    }

    fn sequential(&self, frame: &FrameHeader, tables: &Tables) -> Option<Sequential> {
        let block = |part: usize| {
            let Part { index, dc, ac } = self.parts[part];
            Some(Block {
                component: part,
                dc: tables.dc(dc)?,
                ac: tables.ac(ac)?,
                steps: tables.steps(frame.components()[index].table)?,
            })
        };
        Some(Sequential {
            blocks: self.blocks(frame).map(block).collect::<Option<_>>()?,
            mcus: self.mcus(frame),
            interval: tables.interval,
            precision: frame.precision.clamp(8, 12),
            longest: 0,
        })
    }
}
