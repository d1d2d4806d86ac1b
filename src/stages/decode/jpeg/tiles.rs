//! JPEGs whose restart markers cut the image into tiles, each of which can be decoded without the tiles before it.
//!
//! This reads only the frame header, the restart interval and the header of the one scan. For anything unusual the answer is
//! `None`: then the image is decoded as a whole, and libjpeg-turbo judges it.

use super::frame_header::FrameHeader;
use super::markers::{APP0, COM, DHT, DQT, DRI, SOS, Segment};

/// Application data 15, the last of its kind.
const APP15: u8 = APP0 + 15;

/// How an image is laid out in its one scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Place of the height in the frame header, which the width follows: two bytes each.
    pub(super) size_at: usize,
    /// Where the compressed data begin.
    pub(super) scan_at: usize,
    pub(super) width: u32,
    pub(super) height: u32,
    /// Width and height of a tile in pixels: it is a part of a row of MCUs, or one or more whole rows.
    pub(super) tile: (u32, u32),
    /// Tiles in a row.
    pub(super) columns: u32,
    /// Rows of tiles.
    pub(super) rows: u32,
}

impl Layout {
    /// Reads the header of a sequential Huffman-coded JPEG of 8 bits, if its restart intervals tile rows of MCUs.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (mut at, mut frame, mut interval) = (2, None, 0);
        loop {
            let segment = Segment::next(bytes, at).filter(|segment| segment.at == at)?;
            let payload = segment.payload;
            match segment.marker {
                // Baseline and extended sequential.
                0xc0 | 0xc1 if frame.is_none() => {
                    let header = FrameHeader::read(payload).filter(|frame| frame.precision == 8)?;
                    // The size follows marker, length and precision.
                    frame = Some((header, segment.at + 5));
                }
                DRI => interval = u32::from(u16::from_be_bytes(payload.try_into().ok()?)),
                SOS => {
                    let (frame, size_at) = frame?;
                    // All components in one scan.
                    let holds_all = payload.first().map(|&count| usize::from(count)) == Some(frame.components().len());
                    let layout = Self::new(&frame, size_at, interval, segment.end());
                    return layout.filter(|_| holds_all);
                }
                DHT | DQT | APP0..=APP15 | COM => {}
                _ => return None,
            }
            at = segment.end();
        }
    }

    fn new(frame: &FrameHeader, size_at: usize, interval: u32, scan_at: usize) -> Option<Self> {
        // With other sampling factors it is not certain that a part has the pixels of the whole.
        frame.part()?;
        let mcu = frame.mcu();
        let (mcu_columns, mcu_rows) = (frame.width.div_ceil(mcu.0), frame.height.div_ceil(mcu.1));
        if interval == 0 {
            return None;
        }
        let (columns, tile) = if mcu_columns.is_multiple_of(interval) {
            (mcu_columns / interval, (interval * mcu.0, mcu.1))
        } else if interval.is_multiple_of(mcu_columns) {
            let rows = interval / mcu_columns;
            (1, (mcu_columns * mcu.0, rows * mcu.1))
        } else {
            return None;
        };
        Some(Self {
            size_at,
            scan_at,
            width: frame.width,
            height: frame.height,
            tile,
            columns,
            rows: (mcu_rows * mcu.1).div_ceil(tile.1),
        })
    }
}
