//! Writes images into a device's batch. Only this interface's implementations know the element type and the layout of a row.

/// What is subtracted from a crop, in 0..255.
#[derive(Clone, Copy, Debug)]
pub enum Subtract<'a> {
    /// One number per channel.
    Channel([f32; 3]),
    /// The part of the mean image that belongs to the crop.
    Image {
        /// R, G and B.
        planes: [&'a [f32]; 3],
        /// Where the crop's top left pixel is in a plane.
        at: usize,
        /// Floats from one line of a plane to the next.
        line: usize,
    },
}

/// The rectangle of a crop that is blanked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hole {
    /// First column.
    pub x: u32,
    /// First line.
    pub y: u32,
    /// Columns.
    pub width: u32,
    /// Lines.
    pub height: u32,
}

/// A square crop, and how it becomes input of the network: value = (mixed pixel − mean + colour) · scale, reflected if wanted.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// RGB interleaved, 0..255, starting at the crop's top left pixel.
    pub pixels: &'a [u8],
    /// Bytes from one line of `pixels` to the next.
    pub line: usize,
    /// Whether left and right are exchanged (after the subtraction, as the mean belongs to the unreflected image).
    pub flip: bool,
    /// How each of R, G and B is mixed from R, G, B and 1, clamped to 0..255; `None`: unchanged.
    pub mix: Option<[[f32; 4]; 3]>,
    /// The mean.
    pub subtract: Subtract<'a>,
    /// Colour noise to add, in 0..255.
    pub colour: [f32; 3],
    /// 1 / standard deviation, or 1.
    pub scale: [f32; 3],
    /// The part that becomes 0, after the reflection.
    pub hole: Option<Hole>,
}

/// Writes views as rows of a device's batch. The device supplies it, so that stages need not know the layout.
pub trait RowWriter: Send + Sync {
    /// Bytes of a row, a multiple of 8.
    fn row_bytes(&self) -> usize;
    /// Writes one row.
    fn write(&self, view: &View<'_>, row: &mut [u8]);
}
