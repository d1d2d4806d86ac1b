//! CMYK to RGB, bit for bit as in Pillow.

/// Converts pixels as JPEGs store them, which is inverted: 255 is no ink. That is Adobe's convention; like Pillow, this
/// assumes it for every file.
pub(super) fn to_rgb(stored: &[u8], rgb: &mut [u8]) {
    for (cmyk, rgb) in stored.chunks_exact(4).zip(rgb.chunks_exact_mut(3)) {
        let light = u32::from(cmyk[3]);
        for (value, &ink) in rgb.iter_mut().zip(cmyk) {
            *value = (light - divided_by_255(u32::from(255 - ink) * light)) as u8;
        }
    }
}

/// `n / 255`, rounded, for products of two bytes.
fn divided_by_255(n: u32) -> u32 {
    let n = n + 128;
    ((n >> 8) + n) >> 8
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_ink_is_white_and_full_black_is_black() {
        let mut rgb = [0; 12];
        super::to_rgb(
            &[
                255, 255, 255, 255, 255, 255, 255, 0, 0, 255, 255, 255, 255, 255, 255, 100,
            ],
            &mut rgb,
        );
        assert_eq!(rgb, [255, 255, 255, 0, 0, 0, 0, 255, 255, 100, 100, 100]);
    }
}
