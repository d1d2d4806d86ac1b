//! From a stored image to the frame in which crops are drawn, and back.
//!
//! stored image ──resize──▶ resized, still as stored ──turn upright──▶ upright ──centre square──▶ frame

use super::{DecodeError, Frame, Options, Region};

/// How a stored image is turned upright: mirrored first, then transposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    swap: bool,
    mirror_x: bool,
    mirror_y: bool,
}

impl Turn {
    /// The turn for an EXIF orientation.
    pub(super) fn of_exif(orientation: u8) -> Self {
        Self {
            swap: matches!(orientation, 5..=8),
            mirror_x: matches!(orientation, 2 | 3 | 7 | 8),
            mirror_y: matches!(orientation, 3 | 4 | 6 | 7),
        }
    }

    pub(super) fn is_none(self) -> bool {
        self == Self::of_exif(1)
    }

    /// Writes `stored`, which has rows of `width` pixels, turned upright into `out`. Both are RGB.
    pub(super) fn apply(self, stored: &[u8], width: u32, out: &mut [u8]) {
        let width = width as usize;
        let height = stored.len() / 3 / width;
        let upright_width = if self.swap { height } else { width };
        for (y, row) in out.chunks_exact_mut(3 * upright_width).enumerate() {
            for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
                let (u, v) = if self.swap { (y, x) } else { (x, y) };
                let u = if self.mirror_x { width - 1 - u } else { u };
                let v = if self.mirror_y { height - 1 - v } else { v };
                let at = 3 * (v * width + u);
                pixel.copy_from_slice(&stored[at..at + 3]);
            }
        }
    }
}

/// Refuses `what` if it has more than `limit` pixels.
pub(super) fn limit(what: &'static str, width: u64, height: u64, limit: u64) -> Result<(), DecodeError> {
    let fits = width.checked_mul(height).is_some_and(|pixels| pixels <= limit);
    fits.then_some(()).ok_or(DecodeError::TooLarge {
        what,
        width,
        height,
        limit,
    })
}

/// All sizes between the stored image and the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    /// The size of the stored image.
    pub(super) stored: (u32, u32),
    /// Its size after the resize, before it is turned.
    pub(super) resized: (u32, u32),
    pub(super) turn: Turn,
    pub(super) frame: Frame,
    /// Where the frame begins in the upright image.
    offset: (u32, u32),
}

impl Geometry {
    pub(super) fn new(stored: (u32, u32), orientation: u8, options: &Options) -> Result<Self, DecodeError> {
        let (width, height) = (u64::from(stored.0), u64::from(stored.1));
        limit("an image", width, height, options.max_pixels)?;
        let mut resized = stored;
        if let Some(side) = options.shorter_side {
            let (side, shorter) = (u64::from(side), width.min(height));
            // Rounded in integers: the same on every machine.
            let scaled = |length: u64| ((2 * length * side + shorter) / (2 * shorter)).max(1);
            let (width, height) = (scaled(width), scaled(height));
            limit("an image resized to its frame", width, height, options.max_pixels)?;
            resized = (width as u32, height as u32);
        }
        let turn = Turn::of_exif(if options.exif { orientation } else { 1 });
        let upright = if turn.swap { (resized.1, resized.0) } else { resized };
        let (mut frame, mut offset) = (
            Frame {
                width: upright.0,
                height: upright.1,
            },
            (0, 0),
        );
        if options.square {
            let side = upright.0.min(upright.1);
            frame = Frame {
                width: side,
                height: side,
            };
            offset = ((upright.0 - side) / 2, (upright.1 - side) / 2);
        }
        Ok(Self {
            stored,
            resized,
            turn,
            frame,
            offset,
        })
    }

    /// An upright size, before turning.
    pub(super) fn stored_size(&self, (width, height): (u32, u32)) -> (u32, u32) {
        if self.turn.swap {
            (height, width)
        } else {
            (width, height)
        }
    }

    /// The whole stored image.
    pub(super) fn whole(&self) -> Region {
        let (width, height) = self.stored;
        Region::whole(Frame { width, height })
    }

    /// The place of a region of the frame in the resized image, before that is turned.
    pub(super) fn before_turning(&self, region: Region) -> Result<Region, DecodeError> {
        let Frame {
            width: frame_width,
            height: frame_height,
        } = self.frame;
        let Region { x, y, width, height } = region;
        let inside =
            |from: u32, length: u32, all: u32| length > 0 && u64::from(from) + u64::from(length) <= u64::from(all);
        if !inside(x, width, frame_width) || !inside(y, height, frame_height) {
            return Err(DecodeError::Region {
                x,
                y,
                width,
                height,
                frame_width,
                frame_height,
            });
        }
        let (x, y) = (x + self.offset.0, y + self.offset.1);
        let mut region = Region { x, y, width, height };
        if self.turn.swap {
            region = Region {
                x: y,
                y: x,
                width: height,
                height: width,
            };
        }
        if self.turn.mirror_x {
            region.x = self.resized.0 - region.x - region.width;
        }
        if self.turn.mirror_y {
            region.y = self.resized.1 - region.y - region.height;
        }
        Ok(region)
    }
}
