//! What a file is, by its first bytes: names lie (ImageNet has a PNG named .JPEG).

use super::DecodeError;

/// The kinds that can be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Jpeg,
    Png,
    /// Binary, in colour.
    Ppm,
}

/// First bytes of what people rename to .jpg.
const OTHERS: [(&[u8], &str); 13] = [
    (b"GIF8", "a GIF"),
    (b"BM", "a BMP"),
    (b"II*\0", "a TIFF"),
    (b"MM\0*", "a TIFF"),
    (b"II\xbc", "a JPEG XR"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 codestream"),
    (b"\xff\x0a", "a JPEG XL"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "gzipped data"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"8BPS", "a Photoshop file"),
];

/// Finds the kind, or names what the file is instead.
pub(super) fn sniff(bytes: &[u8]) -> Result<Kind, DecodeError> {
    if bytes.is_empty() {
        return Err(DecodeError::Empty);
    }
    if bytes.starts_with(b"\xff\xd8") {
        return Ok(Kind::Jpeg);
    }
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Ok(Kind::Png);
    }
    if bytes.starts_with(b"P6") && bytes.get(2).is_some_and(u8::is_ascii_whitespace) {
        return Ok(Kind::Ppm);
    }
    Err(DecodeError::OtherFormat(other(bytes)))
}

fn other(bytes: &[u8]) -> &'static str {
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return "a WebP";
    }
    match bytes.get(4..12) {
        Some(b"ftypavif") => return "an AVIF",
        Some(b"ftypheic" | b"ftypmif1" | b"ftypheix") => return "a HEIC",
        _ => {}
    }
    if let Some((_, name)) = OTHERS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return name;
    }
    let start = &bytes[..bytes.len().min(256)];
    let trimmed = start.trim_ascii_start();
    if trimmed.starts_with(b"<svg") || trimmed.starts_with(b"<?xml") {
        "XML or SVG text"
    } else if trimmed.starts_with(b"<") {
        "a web page (a failed download?)"
    } else if start.iter().all(|&byte| byte == 0) {
        "zeros (a failed copy?)"
    } else if start.iter().all(|&byte| byte >= 0x20 || byte.is_ascii_whitespace()) {
        "text"
    } else {
        "data of an unknown kind"
    }
}
