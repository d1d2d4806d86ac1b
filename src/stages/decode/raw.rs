//! Samples that are stored as raw pixels: there is nothing to decode, and they are read in place.

use super::ppm::Head;
use super::{DecodeError, Frame, Region};
use crate::dataset::{Dataset, Encoded, Lent, ReadError};

/// The headers that packs write have at most 29 bytes. A file with a longer one, because of comments, is copied before it is
/// read, like any other.
const LONGEST_HEAD: usize = 64;

/// A sample that is stored as raw pixels.
#[derive(Clone, Copy)]
pub struct Raw<'a> {
    frame: Frame,
    lent: Lent<'a>,
}

impl<'a> Raw<'a> {
    /// Sample `i`, if it is stored as raw pixels. Its header is read here, and never again.
    pub fn find(data: &'a Dataset, i: usize) -> Result<Option<Self>, ReadError> {
        let Some(lent) = data.lend(i)? else { return Ok(None) };
        let frame = match lent {
            Lent::Mapped(bytes) => match bytes.head(&mut [0; LONGEST_HEAD]) {
                head @ [b'P', b'6', ..] => Head::read(head, bytes.bytes().len()).ok().map(|head| head.frame),
                _ => None,
            },
            Lent::Memory(Encoded::Rgb { width, height, pixels }) => {
                let frame = Frame { width, height };
                (pixels.len() == Region::whole(frame).bytes()).then_some(frame)
            }
            Lent::Memory(_) => None,
        };
        Ok(frame.map(|frame| Self { frame, lent }))
    }

    /// Sample `i` again, which [`find`](Self::find) gave this frame. If its file was written to since, the pixels may have
    /// changed, but not their place or number.
    pub fn again(data: &'a Dataset, i: usize, frame: Frame) -> Result<Option<Self>, ReadError> {
        Ok(data.lend(i)?.map(|lent| Self { frame, lent }))
    }

    /// The size of the image.
    pub fn frame(&self) -> Frame {
        self.frame
    }

    /// RGB, row by row.
    pub fn pixels(&self) -> Result<&'a [u8], DecodeError> {
        let (bytes, want) = (self.stored().bytes(), Region::whole(self.frame).bytes());
        // Nothing follows them.
        let from = bytes.len().checked_sub(want);
        from.map(|from| &bytes[from..])
            .ok_or(DecodeError::Buffer { got: bytes.len(), want })
    }

    /// As an image.
    pub(super) fn image(&self) -> Result<Encoded<'a>, DecodeError> {
        let Frame { width, height } = self.frame;
        let pixels = self.pixels()?;
        Ok(Encoded::Rgb { width, height, pixels })
    }

    /// As it is stored.
    pub(super) fn stored(&self) -> Encoded<'a> {
        match self.lent {
            Lent::Mapped(bytes) => Encoded::File(bytes.bytes()),
            Lent::Memory(encoded) => encoded,
        }
    }
}
