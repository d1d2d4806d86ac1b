//! JPEGs whose restart markers cut the image into tiles, each of which can be decoded without those before it.
//!
//! Only what a frame header, a restart interval and one scan say is read here. Whatever is unusual is answered by `None`: then
//! the image is decoded whole, and libjpeg-turbo judges it.

/// How an image is laid out in its one scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Where the frame header has its height, followed by its width: two bytes each.
    pub(super) size_at: usize,
    /// Where the compressed data begin.
    pub(super) scan_at: usize,
    pub(super) width: u32,
    pub(super) height: u32,
    /// Pixels that a tile spans: a part of a row of MCUs, or one or more whole rows.
    pub(super) tile: (u32, u32),
    /// Tiles in a row.
    pub(super) columns: u32,
    /// Rows of tiles.
    pub(super) rows: u32,
}

/// What the frame header says.
struct FrameHeader {
    size_at: usize,
    width: u32,
    height: u32,
    components: u8,
    /// Pixels that an MCU spans.
    mcu: (u32, u32),
}

impl Layout {
    /// Reads the header of a sequential Huffman-coded JPEG of 8 bits, if its restart intervals tile rows of MCUs.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (mut at, mut frame, mut interval) = (2, None, 0);
        loop {
            let &[0xff, marker, high, low] = bytes.get(at..at + 4)? else {
                return None;
            };
            let end = at + 2 + usize::from(u16::from_be_bytes([high, low]));
            let body = bytes.get(at + 4..end)?;
            match marker {
                // Baseline and extended sequential.
                0xc0 | 0xc1 if frame.is_none() => frame = Some(FrameHeader::read(body, at + 4)?),
                0xdd => interval = u32::from(u16::from_be_bytes(body.try_into().ok()?)),
                0xda => {
                    let frame = frame?;
                    // All components in one scan.
                    return (body.first() == Some(&frame.components)).then(|| Self::new(&frame, interval, end))?;
                }
                // Tables, application data and comments.
                0xc4 | 0xdb | 0xe0..=0xef | 0xfe => {}
                _ => return None,
            }
            at = end;
        }
    }

    fn new(frame: &FrameHeader, interval: u32, scan_at: usize) -> Option<Self> {
        let (mcu_columns, mcu_rows) = (frame.width.div_ceil(frame.mcu.0), frame.height.div_ceil(frame.mcu.1));
        if interval == 0 {
            return None;
        }
        let (columns, tile) = if mcu_columns.is_multiple_of(interval) {
            (mcu_columns / interval, (interval * frame.mcu.0, frame.mcu.1))
        } else if interval.is_multiple_of(mcu_columns) {
            let rows = interval / mcu_columns;
            (1, (mcu_columns * frame.mcu.0, rows * frame.mcu.1))
        } else {
            return None;
        };
        Some(Self {
            size_at: frame.size_at,
            scan_at,
            width: frame.width,
            height: frame.height,
            tile,
            columns,
            rows: (mcu_rows * frame.mcu.1).div_ceil(tile.1),
        })
    }
}

impl FrameHeader {
    /// Reads the body of a frame header that begins at `at`.
    fn read(body: &[u8], at: usize) -> Option<Self> {
        let &[8, high, low, wide, narrow, components, ref each @ ..] = body else {
            return None;
        };
        let (height, width) = (u16::from_be_bytes([high, low]), u16::from_be_bytes([wide, narrow]));
        if width == 0 || height == 0 || each.len() != 3 * usize::from(components) {
            return None;
        }
        let (mut across, mut down) = (1, 1);
        for component in each.chunks_exact(3) {
            let factors = (u32::from(component[1] >> 4), u32::from(component[1] & 15));
            if !(1..=4).contains(&factors.0) || !(1..=4).contains(&factors.1) {
                return None;
            }
            (across, down) = (across.max(factors.0), down.max(factors.1));
        }
        // In a scan of a single component an MCU is a block, whatever its sampling factors.
        let mcu = if components == 1 {
            (8, 8)
        } else {
            (8 * across, 8 * down)
        };
        Some(Self {
            size_at: at + 1,
            width: width.into(),
            height: height.into(),
            components,
            mcu,
        })
    }
}
