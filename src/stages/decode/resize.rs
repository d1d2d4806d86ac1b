//! Antialiased bilinear resize.
//!
//! The whole image is resized and the region cut out of it: `fast_image_resize` takes a crop box too, but its
//! fixed-point weights then depend on the box, so that the same pixel could differ between two crops.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

/// A resizer that keeps its buffers.
pub(super) struct Resize {
    resizer: Resizer,
    options: ResizeOptions,
}

impl Resize {
    pub(super) fn new() -> Self {
        // Convolution widens its filter when it shrinks an image; Interpolation would not, and would alias.
        let options = ResizeOptions::new()
            .resize_alg(ResizeAlg::Convolution(FilterType::Bilinear))
            .use_alpha(false);
        Self {
            resizer: Resizer::new(),
            options,
        }
    }

    /// Resizes RGB `pixels` of size `from` to size `to`.
    pub(super) fn rgb(&mut self, pixels: &[u8], from: (u32, u32), to: (u32, u32), out: &mut Vec<u8>) {
        out.resize(3 * to.0 as usize * to.1 as usize, 0);
        let source = ImageRef::new(from.0, from.1, pixels, PixelType::U8x3);
        let target = Image::from_slice_u8(to.0, to.1, out, PixelType::U8x3);
        let (Ok(source), Ok(mut target)) = (source, target) else {
            unreachable!("the buffers were sized for these images")
        };
        let resized = self.resizer.resize(&source, &mut target, &self.options);
        assert!(
            resized.is_ok(),
            "source and target have the same pixel type and no crop box"
        );
    }
}
