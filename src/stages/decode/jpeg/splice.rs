//! Makes a smaller JPEG of only those tiles of a large one that a region needs, so that nothing else is decoded.
//!
//! Tiles lie between restart markers. They are copied unchanged behind the same header with another size, with renumbered
//! restart markers between them. The compressed data are only searched for markers to find where tiles end.

use memchr::memchr;

use super::super::Region;
use super::image::Image;
use super::markers::{EOI, RST0};
use super::tiles::Layout;

/// Writes into `out` a JPEG whose pixels inside `wanted` are exactly those of the whole, and returns its place in the decoded
/// image. `None` if that would be the whole image, or if `image` is not tiled by restart markers or lacks some that its header
/// announces. Then the contents of `out` are meaningless.
pub(super) fn splice(image: &Image<'_>, wanted: Region, out: &mut Vec<u8>) -> Option<Region> {
    let layout = Layout::read(image.bytes())?;
    let (width, height) = image.size();
    let shrink = image.shrink();
    if (layout.width.div_ceil(shrink), layout.height.div_ceil(shrink)) != (width, height) {
        return None;
    }
    // libjpeg smooths colour across one pixel, up to the edge of the decoded area, but not if that has four columns or fewer.
    let x = wanted.x.saturating_sub(1).min(width.saturating_sub(5));
    let y = wanted.y.saturating_sub(1);
    let right = (wanted.x + wanted.width + 1).min(width);
    let bottom = (wanted.y + wanted.height + 1).min(height);
    let tiles = Tiles {
        left: shrink * x / layout.tile.0,
        right: (shrink * right).min(layout.width).div_ceil(layout.tile.0),
        top: shrink * y / layout.tile.1,
        bottom: (shrink * bottom).min(layout.height).div_ceil(layout.tile.1),
    };
    let part = tiles.write(image.bytes(), &layout, out)?;
    Some(Region {
        x: part.x / shrink,
        y: part.y / shrink,
        width: part.width.div_ceil(shrink),
        height: part.height.div_ceil(shrink),
    })
}

/// The tiles of a splice.
struct Tiles {
    left: u32,
    right: u32,
    top: u32,
    bottom: u32,
}

impl Tiles {
    /// Writes the JPEG and returns its place in the stored image.
    fn write(&self, bytes: &[u8], layout: &Layout, out: &mut Vec<u8>) -> Option<Region> {
        let Self {
            left,
            right,
            top,
            bottom,
        } = *self;
        if (right - left, bottom - top) == (layout.columns, layout.rows) {
            return None;
        }
        let (x, y) = (left * layout.tile.0, top * layout.tile.1);
        let part = Region {
            x,
            y,
            width: (right * layout.tile.0).min(layout.width) - x,
            height: (bottom * layout.tile.1).min(layout.height) - y,
        };
        out.clear();
        out.extend_from_slice(bytes.get(..layout.scan_at)?);
        // They fit into 16 bits, like the sizes of the whole image.
        let size = [part.height as u16, part.width as u16].map(u16::to_be_bytes);
        out.get_mut(layout.size_at..layout.size_at + 4)?
            .copy_from_slice(size.as_flattened());
        self.copy(bytes, layout, out)?;
        out.extend_from_slice(&[0xff, EOI]);
        Some(part)
    }

    /// Appends the tiles, with markers between them. What follows the last tile is not read.
    fn copy(&self, bytes: &[u8], layout: &Layout, out: &mut Vec<u8>) -> Option<()> {
        let tiles = layout.columns * layout.rows;
        let (mut at, mut copied) = (layout.scan_at, 0);
        for tile in 0..(self.bottom - 1) * layout.columns + self.right {
            let marker = if tile + 1 == tiles { EOI } else { restart(tile) };
            let end = end_of_tile(bytes, at, marker)?;
            let (row, column) = (tile / layout.columns, tile % layout.columns);
            if row >= self.top && (self.left..self.right).contains(&column) {
                if copied > 0 {
                    out.extend_from_slice(&[0xff, restart(copied - 1)]);
                }
                out.extend_from_slice(&bytes[at..end]);
                copied += 1;
            }
            at = end + 2;
        }
        Some(())
    }
}

/// The restart marker behind tile `tile`.
fn restart(tile: u32) -> u8 {
    RST0 + (tile % 8) as u8
}

/// Where the tile that begins at `at` ends: at the first marker, which must be `marker`.
fn end_of_tile(bytes: &[u8], mut at: usize, marker: u8) -> Option<usize> {
    loop {
        at += memchr(0xff, bytes.get(at..)?)?;
        match *bytes.get(at + 1)? {
            // A byte of data that has the value 0xff.
            0 => at += 2,
            found => return (found == marker).then_some(at),
        }
    }
}
