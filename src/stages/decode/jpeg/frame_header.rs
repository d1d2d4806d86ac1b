//! A JPEG's frame header: size, components and their sampling factors, as they are stored.

use super::markers::{self, SEQUENTIAL, SOS};

/// The most components that a scan may have, and that can be decoded.
pub(super) const MAX_COMPONENTS: usize = 4;

/// One colour component of an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Component {
    /// Its number in scan headers.
    pub(super) id: u8,
    /// Blocks per MCU, horizontally and vertically.
    pub(super) factors: (u32, u32),
    /// Its quantization table.
    pub(super) table: u8,
}

/// A frame header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FrameHeader {
    pub(super) precision: u8,
    pub(super) width: u32,
    pub(super) height: u32,
    components: [Component; MAX_COMPONENTS],
    count: usize,
}

/// How a part of an image can be decoded on its own by libjpeg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// The part's left column must be a multiple of this.
    pub(super) step: u32,
    /// Whether upsampling smooths across columns: then a part's outermost columns differ from those of the whole.
    pub(super) smooth: bool,
}

impl FrameHeader {
    /// Reads the payload of a frame header's segment.
    pub(super) fn read(payload: &[u8]) -> Option<Self> {
        let &[precision, high, low, wide, narrow, count, ref each @ ..] = payload else {
            return None;
        };
        let (height, width) = (u16::from_be_bytes([high, low]), u16::from_be_bytes([wide, narrow]));
        let count = usize::from(count);
        if width == 0 || height == 0 || !(1..=MAX_COMPONENTS).contains(&count) || each.len() != 3 * count {
            return None;
        }
        let mut components = [Component::default(); MAX_COMPONENTS];
        for (component, stored) in components.iter_mut().zip(each.chunks_exact(3)) {
            let factors = (u32::from(stored[1] >> 4), u32::from(stored[1] & 15));
            if !(1..=4).contains(&factors.0) || !(1..=4).contains(&factors.1) {
                return None;
            }
            *component = Component {
                id: stored[0],
                factors,
                table: stored[2],
            };
        }
        Some(Self {
            precision,
            width: width.into(),
            height: height.into(),
            components,
            count,
        })
    }

    pub(super) fn components(&self) -> &[Component] {
        &self.components[..self.count]
    }

    /// The largest factors, horizontally and vertically.
    pub(super) fn largest(&self) -> (u32, u32) {
        let factors = self.components().iter().map(|component| component.factors);
        factors.fold((1, 1), |largest, factors| {
            (largest.0.max(factors.0), largest.1.max(factors.1))
        })
    }

    /// Width and height in pixels of an MCU, in a scan of all components.
    pub(super) fn mcu(&self) -> (u32, u32) {
        // In a scan of a single component an MCU is a block, whatever its sampling factors.
        let (across, down) = if self.count == 1 { (1, 1) } else { self.largest() };
        (8 * across, 8 * down)
    }

    /// Blocks of a component, horizontally and vertically, without those that only pad the last MCU.
    pub(super) fn blocks(&self, component: &Component) -> (u32, u32) {
        let (across, down) = self.largest();
        (
            (self.width * component.factors.0).div_ceil(8 * across),
            (self.height * component.factors.1).div_ceil(8 * down),
        )
    }

    /// Bytes of all coefficients.
    fn coefficients(&self) -> u64 {
        let blocks = self.components().iter().map(|component| self.blocks(component));
        blocks
            .map(|(across, down)| 128 * u64::from(across) * u64::from(down))
            .sum()
    }

    /// How a part can be decoded; `None` if it is not certain that its pixels are those of the whole. It is certain for the
    /// sampling factors that all encoders write: for those, TurboJPEG computes with the actual size of an MCU.
    pub(super) fn part(&self) -> Option<Part> {
        let (step, smooth) = match *self.components() {
            // The factors of a single component have no meaning.
            [_] => (8, false),
            [luma, blue, red] if (blue.factors, red.factors) == ((1, 1), (1, 1)) => match luma.factors {
                (1, 1 | 2) => (8, false),
                (2, 1 | 2) => (16, true),
                (4, 1) => (32, false),
                _ => return None,
            },
            _ => return None,
        };
        Some(Part { step, smooth })
    }
}

/// How libjpeg can decode an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Way {
    /// How to decode parts; `None`: only the whole image can be decoded.
    pub(super) part: Option<Part>,
    /// Bytes of coefficients that libjpeg holds meanwhile: 0 if it decodes line by line.
    pub(super) held: u64,
}

impl Way {
    /// For the JPEG `bytes`. Parts can be decoded if the first scan contains everything. Otherwise libjpeg assembles the whole
    /// image from several scans, and smooths what they leave open.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut frame = None;
        for segment in markers::header(bytes) {
            match (segment.marker, &frame) {
                (marker @ (0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf), _) => {
                    frame = FrameHeader::read(segment.payload).map(|frame| (marker, frame));
                }
                (SOS, Some((marker, frame))) => {
                    let holds_all = segment.payload.first().map(|&count| usize::from(count)) == Some(frame.count);
                    return if holds_all && SEQUENTIAL.contains(marker) {
                        Self {
                            part: frame.part(),
                            held: 0,
                        }
                    } else {
                        Self {
                            part: None,
                            held: frame.coefficients(),
                        }
                    };
                }
                _ => {}
            }
        }
        Self::default()
    }
}
