//! Antialiased bilinear resize of only the wanted part.
//!
//! The filter is a triangle, widened by the scale when the image shrinks, as in Pillow's and PyTorch's antialiased resize. A
//! pixel's weights depend on its place in the whole resized image and never on the requested part, so a crop has exactly the
//! pixels of the whole. All arithmetic after the weights is in integers, the same on every machine.
//!
//! Each row takes two passes: `down` blends rows into one line of 16-bit values, `across` blends the pixels of that line.
//! Down comes first, because it can blend 16 bytes of a line at a time whatever their channels. Two rows are made at a time,
//! because their pixels have the same weights across.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod axis;
mod portable;

use super::Region;
use axis::Axis;

/// Fractional bits of a weight: the weights of a pixel add up to exactly `1 << WEIGHT_BITS`.
const WEIGHT_BITS: u32 = 14;
/// Fractional bits of the values between the passes: 255 · 2⁶ fits into 16 bits with a sign.
const LINE_BITS: u32 = 6;
/// How many values vector loads may read past the end of a line; their weights are 0.
const PADDING: usize = 8;

/// A resizer that keeps its buffers.
pub(super) struct Resize {
    across: Axis,
    down: Axis,
    /// Two blended lines, from the first needed column on.
    lines: Vec<i16>,
    avx2: bool,
}

/// Rows of bytes, `pitch` apart.
#[derive(Clone, Copy)]
struct Rows<'a> {
    bytes: &'a [u8],
    pitch: usize,
    count: usize,
    /// Used bytes of a row.
    length: usize,
}

impl<'a> Rows<'a> {
    /// Row `i`, or the last row if `i` is behind it: such a tap has weight 0.
    fn row(&self, i: usize) -> &'a [u8] {
        &self.bytes[i.min(self.count - 1) * self.pitch..][..self.length]
    }
}

impl Resize {
    pub(super) fn new() -> Self {
        #[cfg(target_arch = "x86_64")]
        let avx2 = is_x86_feature_detected!("avx2");
        #[cfg(not(target_arch = "x86_64"))]
        let avx2 = false;
        Self {
            across: Axis::default(),
            down: Axis::default(),
            lines: Vec::new(),
            avx2,
        }
    }

    /// Prepares for the part `wanted` of an image of size `stored` that is resized to `resized`. The part is scaled to `size`
    /// in the same step. Returns the part of the stored image that is needed.
    pub(super) fn prepare(
        &mut self,
        stored: (u32, u32),
        resized: (u32, u32),
        wanted: Region,
        size: (u32, u32),
    ) -> Region {
        let (x, width) = self
            .across
            .prepare(stored.0, resized.0, (wanted.x, wanted.width), size.0);
        let (y, height) = self
            .down
            .prepare(stored.1, resized.1, (wanted.y, wanted.height), size.1);
        Region { x, y, width, height }
    }

    /// Writes the prepared part. `pixels` is the RGB of the region `lies_at` of the stored image.
    pub(super) fn rgb(&mut self, pixels: &[u8], lies_at: Region, out: &mut [u8]) {
        let Self {
            across,
            down,
            lines,
            avx2,
        } = self;
        let (x, width) = across.span();
        let (y, height) = down.span();
        let pitch = 3 * lies_at.width as usize;
        let rows = Rows {
            bytes: &pixels[(y - lies_at.y) as usize * pitch + 3 * (x - lies_at.x) as usize..],
            pitch,
            count: height as usize,
            length: 3 * width as usize,
        };
        let line = rows.length + 3 * across.taps() + PADDING;
        lines.clear();
        lines.resize(2 * line, 0);
        let (upper, lower) = lines.split_at_mut(line);
        let row = 3 * across.len();
        for (i, pair) in out.chunks_mut(2 * row).enumerate() {
            for (y, line) in (2 * i..down.len()).zip([&mut *upper, &mut *lower]) {
                let (first, weights) = down.pixel(y);
                blend_down(*avx2, rows, first, weights, &mut line[..rows.length]);
            }
            let (out, second) = pair.split_at_mut(row);
            blend_across(*avx2, across, [upper, lower], [out, second]);
        }
    }
}

/// Blends rows from `first` on into `line`.
fn blend_down(avx2: bool, rows: Rows<'_>, first: usize, weights: &[[i16; 2]], line: &mut [i16]) {
    #[cfg(target_arch = "x86_64")]
    if avx2 {
        // SAFETY: the processor has AVX2: `Resize::new` has asked it.
        return unsafe { avx2::down(rows, first, weights, line) };
    }
    let _ = avx2;
    portable::down(rows, first, weights, line);
}

/// Blends pixels of two lines into two rows; the second row is empty if there is no second line.
fn blend_across(avx2: bool, axis: &Axis, lines: [&[i16]; 2], [first, second]: [&mut [u8]; 2]) {
    #[cfg(target_arch = "x86_64")]
    if avx2 && !second.is_empty() {
        // SAFETY: as in `blend_down`.
        return unsafe { avx2::across(axis, lines, [first, second]) };
    }
    let _ = avx2;
    portable::across(axis, lines[0], first);
    portable::across(axis, lines[1], second);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The vector units and plain arithmetic give the same bytes.
        #[test]
        fn avx2_is_portable(
            stored in (1_u32..80, 1_u32..40), resized in (1_u32..80, 1_u32..40), seed: u64,
        ) {
            let mut random = seed;
            let pixels: Vec<u8> = (0..3 * stored.0 * stored.1)
                .map(|_| {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    // Extremes are where sums overflow.
                    [0, 255, (random >> 40) as u8, 255][(random >> 60) as usize % 4]
                })
                .collect();
            let wanted = Region { x: 0, y: 0, width: resized.0, height: resized.1 };
            let mut both = [true, false].map(|avx2| {
                let mut resize = Resize::new();
                resize.avx2 &= avx2;
                let needed = resize.prepare(stored, resized, wanted, resized);
                prop_assert!(needed.x + needed.width <= stored.0 && needed.y + needed.height <= stored.1);
                let all = Region { x: 0, y: 0, width: stored.0, height: stored.1 };
                let mut out = vec![0; wanted.bytes()];
                resize.rgb(&pixels, all, &mut out);
                Ok(out)
            });
            let [a, b] = &mut both;
            prop_assert_eq!(a.as_ref().ok(), b.as_ref().ok());
            if stored == resized {
                prop_assert_eq!(a.as_ref().ok(), Some(&pixels));
            }
        }
    }
}
