//! Binary PPM of 8 bits, the format of a pack's raw pixels.

use super::{DecodeError, Frame};

/// The header of a `P6` file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) frame: Frame,
    /// Where the pixels begin: RGB, row by row.
    pub(super) pixels_at: usize,
}

impl Head {
    /// Reads the header of a file of `length` bytes that begins with `bytes`. Exactly the pixels must follow it.
    pub(super) fn read(bytes: &[u8], length: usize) -> Result<Self, DecodeError> {
        let damaged = |reason: String| DecodeError::Ppm(reason);
        let mut rest = bytes.get(2..).unwrap_or_default();
        let mut numbers = [0u32; 3];
        for number in &mut numbers {
            rest = skip_blanks(rest);
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let text = str::from_utf8(&rest[..digits]).unwrap_or_default();
            *number = text.parse().map_err(|_| damaged("its header has no size".into()))?;
            rest = &rest[digits..];
        }
        let [width, height, largest] = numbers;
        if largest != 255 {
            return Err(damaged(format!(
                "its largest value is {largest}; only 255 is supported"
            )));
        }
        if width == 0 || height == 0 {
            return Err(damaged(format!("its size is {width}x{height}")));
        }
        // Exactly one blank: the next byte may be a pixel that looks like one.
        let [blank, rest @ ..] = rest else {
            return Err(damaged("it ends within its header".into()));
        };
        let pixels_at = bytes.len() - rest.len();
        // In 128 bits: a header may claim any size.
        let want = 3 * u128::from(width) * u128::from(height);
        let got = length.saturating_sub(pixels_at);
        if !blank.is_ascii_whitespace() || got as u128 != want {
            return Err(damaged(format!(
                "it has {got} bytes of pixels, which does not match its size of {width}x{height}"
            )));
        }
        Ok(Self {
            frame: Frame { width, height },
            pixels_at,
        })
    }
}

/// Skips blanks, and comments from `#` to the end of the line.
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
            let head = Head::read(&bytes, bytes.len()).unwrap();
            assert_eq!(head.frame, Frame { width: 2, height: 1 });
            assert_eq!(head.pixels_at, text.len());
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
            assert!(Head::read(text.as_bytes(), text.len()).is_err(), "{text}");
        }
    }
}
