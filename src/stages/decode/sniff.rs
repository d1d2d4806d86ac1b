//! The format of a file, by its first bytes. Names can be wrong: ImageNet has a PNG named .JPEG.

use super::DecodeError;

/// The formats that can be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Jpeg,
    Png,
    /// Binary, in colour.
    Ppm,
    Other(Other),
}

/// The formats that the `image` crate decodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Other {
    Bmp,
    Gif,
    Tiff,
    WebP,
}

impl Other {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Bmp => "BMP",
            Self::Gif => "GIF",
            Self::Tiff => "TIFF",
            Self::WebP => "WebP",
        }
    }
}

/// How many foreign bytes in front of an image are searched: a byte order mark, a line break, a length.
const MAX_FOREIGN: usize = 64;

/// First bytes of files that people rename to .jpg.
const OTHERS: [(&[u8], &str); 10] = [
    (b"II\xbc", "a JPEG XR; convert it"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000; convert it"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 codestream; convert it"),
    (b"\xff\x0a", "a JPEG XL; convert it"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL; convert it"),
    (b"8BPS", "a Photoshop file; convert it"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "gzipped data"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"Rar!\x1a", "a RAR archive"),
];

/// Detects the format. The error names what the file is instead.
pub(super) fn sniff(bytes: &[u8]) -> Result<Kind, DecodeError> {
    if bytes.is_empty() {
        return Err(DecodeError::Empty);
    }
    if bytes.starts_with(b"\xff\xd8") {
        return Ok(Kind::Jpeg);
    }
    if bytes.starts_with(b"P6") && bytes.get(2).is_some_and(u8::is_ascii_whitespace) {
        return Ok(Kind::Ppm);
    }
    if is_bmp(bytes) {
        return Ok(Kind::Other(Other::Bmp));
    }
    if let Some((kind, _)) = by_long_magic(bytes) {
        return Ok(kind);
    }
    let foreign = (1..=MAX_FOREIGN.min(bytes.len())).find_map(|foreign| {
        let (_, what) = by_long_magic(&bytes[foreign..])?;
        Some(DecodeError::Behind { what, bytes: foreign })
    });
    Err(foreign.unwrap_or_else(|| DecodeError::OtherFormat(other(bytes))))
}

/// Formats whose first bytes are long enough to be no coincidence.
fn by_long_magic(bytes: &[u8]) -> Option<(Kind, &'static str)> {
    if bytes.starts_with(b"\xff\xd8\xff") {
        Some((Kind::Jpeg, "a JPEG"))
    } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some((Kind::Png, "a PNG"))
    } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
        Some((Kind::Other(Other::Gif), "a GIF"))
    } else if bytes.starts_with(b"II*\0") || bytes.starts_with(b"MM\0*") {
        Some((Kind::Other(Other::Tiff), "a TIFF"))
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        Some((Kind::Other(Other::WebP), "a WebP"))
    } else {
        None
    }
}

/// Two letters are not enough: a BMP also has zeros in its reserved bytes, and a second header of a known length.
fn is_bmp(bytes: &[u8]) -> bool {
    let Some(header) = bytes.first_chunk::<18>().filter(|header| header.starts_with(b"BM")) else {
        return false;
    };
    header[6..10] == [0; 4] && matches!(header[14..], [12 | 16 | 40 | 52 | 56 | 64 | 108 | 124, 0, 0, 0])
}

fn other(bytes: &[u8]) -> &'static str {
    match bytes.get(4..12) {
        Some(b"ftypavif" | b"ftypavis") => return "an AVIF; convert it",
        Some(b"ftypheic" | b"ftypmif1" | b"ftypheix") => return "a HEIC; convert it",
        _ => {}
    }
    if let Some((_, name)) = OTHERS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return name;
    }
    let start = &bytes[..bytes.len().min(256)];
    let trimmed = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    if trimmed.starts_with(b"<svg") || trimmed.starts_with(b"<?xml") {
        "XML or SVG text"
    } else if trimmed.starts_with(b"<") {
        "a web page (a failed download?)"
    } else if start.iter().all(|&byte| byte == 0) {
        "zeros (a failed copy?)"
    } else if is_text(start) {
        "text"
    } else {
        "data of an unknown kind"
    }
}

/// Whether these bytes are text; the last character may be cut off.
fn is_text(start: &[u8]) -> bool {
    let readable = match str::from_utf8(start) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => str::from_utf8(&start[..error.valid_up_to()]).unwrap_or_default(),
        Err(_) => return false,
    };
    !readable.is_empty() && readable.chars().all(|c| !c.is_control() || c.is_whitespace())
}
