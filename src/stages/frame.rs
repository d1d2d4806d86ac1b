//! The frame, from which crops are drawn, and regions of it.

/// The size of what crops are drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Pixels per row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Frame {
    /// The frame of an image that could not be decoded.
    pub const EMPTY: Self = Self { width: 0, height: 0 };
}

/// A rectangle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// The left column.
    pub x: u32,
    /// The top row.
    pub y: u32,
    /// Pixels per row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Region {
    /// How many bytes the region's RGB pixels take.
    pub fn bytes(self) -> usize {
        3 * self.width as usize * self.height as usize
    }

    /// The whole frame.
    pub fn whole(frame: Frame) -> Self {
        Self {
            x: 0,
            y: 0,
            width: frame.width,
            height: frame.height,
        }
    }

    /// The same rectangle in the coordinates of an area that begins at `origin`.
    #[must_use]
    pub fn relative_to(self, (x, y): (u32, u32)) -> Self {
        Self {
            x: self.x - x,
            y: self.y - y,
            ..self
        }
    }

    /// The inverse of [`relative_to`](Self::relative_to): back in the coordinates of the whole image.
    #[must_use]
    pub fn offset_by(self, (x, y): (u32, u32)) -> Self {
        Self {
            x: self.x + x,
            y: self.y + y,
            ..self
        }
    }
}
