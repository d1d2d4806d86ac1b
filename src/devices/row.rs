//! The door through which an image enters a device's batch: the only place that knows element type and layout of a row.

/// What is subtracted from a crop, in 0..255.
#[derive(Clone, Copy, Debug)]
pub enum Subtract<'a> {
    /// One number a channel.
    Channel([f32; 3]),
    /// The mean image at the place of the crop: RGB interleaved, `line` floats from one line to the next.
    Image {
        /// Starts at the crop's top left pixel.
        values: &'a [f32],
        /// Floats from one line of the mean image to the next.
        line: usize,
    },
}

/// A square crop as it is to be seen by the network: value = (pixel − mean + colour) · scale, reflected if asked.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// RGB interleaved, 0..255, starting at the crop's top left pixel.
    pub pixels: &'a [u8],
    /// Bytes from one line of `pixels` to the next.
    pub line: usize,
    /// Whether left and right are exchanged (after the subtraction, as the mean belongs to the unreflected image).
    pub flip: bool,
    /// The mean.
    pub subtract: Subtract<'a>,
    /// Colour noise to add, in 0..255.
    pub colour: [f32; 3],
    /// 1 / standard deviation, or 1.
    pub scale: [f32; 3],
}

/// Writes views as rows of a device's batch. Supplied by the device; stages know nothing of its layout.
pub trait RowWriter: Send + Sync {
    /// Bytes of a row, a multiple of 8.
    fn row_bytes(&self) -> usize;
    /// Writes one row.
    fn write(&self, view: &View<'_>, row: &mut [u8]);
}
