//! Binary PPM of 8 bits, the form in which a pack keeps raw pixels: read where it lies.

use super::{DecodeError, Frame};
use crate::dataset::Encoded;

/// Size and pixels of a `P6`.
pub(super) struct Ppm<'a> {
    pub(super) width: u32,
    pub(super) height: u32,
    /// RGB, row by row.
    pub(super) pixels: &'a [u8],
}

/// The frame and the RGB pixels of an image that needs no decoding; `None` for every other.
pub fn raw(encoded: Encoded<'_>) -> Option<(Frame, &[u8])> {
    let (width, height, pixels) = match encoded {
        Encoded::Rgb { width, height, pixels } => (width, height, pixels),
        Encoded::File(bytes @ [b'P', b'6', ..]) => {
            let Ppm { width, height, pixels } = open(bytes).ok()?;
            (width, height, pixels)
        }
        Encoded::File(_) | Encoded::Grey { .. } => return None,
    };
    (pixels.len() as u64 == 3 * u64::from(width) * u64::from(height)).then_some((Frame { width, height }, pixels))
}

/// Reads the header and finds the pixels.
pub(super) fn open(bytes: &[u8]) -> Result<Ppm<'_>, DecodeError> {
    let damaged = |reason: String| DecodeError::Ppm(reason);
    let mut rest = bytes.get(2..).unwrap_or_default();
    let mut numbers = [0u32; 3];
    for number in &mut numbers {
        rest = skip_blanks(rest);
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let text = str::from_utf8(&rest[..digits]).unwrap_or_default();
        *number = text.parse().map_err(|_| damaged("its header holds no size".into()))?;
        rest = &rest[digits..];
    }
    let [width, height, largest] = numbers;
    if largest != 255 {
        return Err(damaged(format!("its values reach to {largest}; only 255 can be read")));
    }
    if width == 0 || height == 0 {
        return Err(damaged(format!("its size is {width}x{height}")));
    }
    // Exactly one blank: the next byte may be a pixel that looks like one.
    let [blank, pixels @ ..] = rest else {
        return Err(damaged("it ends within its header".into()));
    };
    // In 128 bits: a header may claim whatever it likes.
    let want = 3 * u128::from(width) * u128::from(height);
    if !blank.is_ascii_whitespace() || pixels.len() as u128 != want {
        let got = pixels.len();
        return Err(damaged(format!("{got} bytes are not the pixels of {width}x{height}")));
    }
    Ok(Ppm { width, height, pixels })
}

/// Blanks, and comments from `#` to the end of the line.
fn skip_blanks(mut rest: &[u8]) -> &[u8] {
    loop {
        rest = rest.trim_ascii_start();
        let [b'#', ..] = rest else { return rest };
        let end = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
        rest = &rest[end..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_as_they_may_be_written() {
        for text in ["P6\n2 1\n255\n", "P6 2\t1 255 ", "P6\n# by hand\n2 # wide\n1\n255\r"] {
            let bytes = [text.as_bytes(), b"\n12345"].concat();
            let ppm = open(&bytes).unwrap();
            assert_eq!((ppm.width, ppm.height, ppm.pixels), (2, 1, &b"\n12345"[..]));
        }
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        for text in [
            "P6\n2 1\n255\n12345",
            "P6\n2 1\n255\n1234567",
            "P6\n2 1\n255",
            "P6\n2 1\n65535\n123456123456",
            "P6\n0 1\n255\n",
            "P6\n-2 1\n255\n123456",
            "P6\n4294967295 4294967295\n255\n123456",
            "P6\n99999999999 1\n255\n",
            "P6 # no end",
            "P6\n",
        ] {
            assert!(open(text.as_bytes()).is_err(), "{text}");
        }
    }
}
