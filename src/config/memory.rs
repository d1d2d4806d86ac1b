//! How much memory a run may take.

use super::errors::Errors;
use super::node::{Node, Tree};
use super::value::{Value, mismatch};

/// `"auto"` or a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryLimit {
    /// A share of the memory available when the run begins.
    Auto,
    /// This many bytes.
    Bytes(u64),
}

/// Largest first, so that a size is written in the largest unit that divides it.
const UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1000),
    ("B", 1),
];

/// Parses `4 GiB`, `1.5 GB`, `800MB`; `None` if the text is not a size above 0.
fn bytes(text: &str) -> Option<u64> {
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(unit_at);
    let (_, unit) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let number: f64 = number.trim().parse().ok()?;
    let bytes = (number * *unit as f64).round();
    (bytes >= 1.0 && bytes < u64::MAX as f64).then_some(bytes as u64)
}

impl Value for MemoryLimit {
    fn read(node: &Node, key: &str, errors: &mut Errors) -> Option<Self> {
        match &node.value {
            Tree::String(word) if word == "auto" => Some(Self::Auto),
            Tree::String(text) => bytes(text).map(Self::Bytes),
            _ => None,
        }
        .or_else(|| mismatch(node, key, "\"auto\" or a size such as \"4 GiB\" or \"800 MB\"", errors))
    }
    fn write(&self) -> String {
        let Self::Bytes(bytes) = self else {
            return "\"auto\"".to_string();
        };
        let unit = UNITS.iter().find(|(_, unit)| bytes.is_multiple_of(*unit));
        let (name, unit) = unit.unwrap_or(&("B", 1));
        format!("\"{} {name}\"", bytes / unit)
    }
}

#[cfg(test)]
mod tests {
    use super::{MemoryLimit, Value, bytes};

    #[test]
    fn sizes_are_read_and_written() {
        for (text, size) in [
            ("4 GiB", 4 << 30),
            ("800MB", 800_000_000),
            ("1.5 kB", 1500),
            ("0.5 TiB", 1 << 39),
            ("7 B", 7),
        ] {
            assert_eq!(bytes(text), Some(size), "{text}");
        }
        for text in [
            "",
            "4",
            "GiB",
            "0 GiB",
            "-1 GB",
            "4 gib",
            "4 GiB or so",
            "inf TB",
            "1e99 TB",
        ] {
            assert_eq!(bytes(text), None, "{text}");
        }
        for size in [1, 999, 1000, 1024, 4 << 30, 800_000_000, 1500] {
            let written = MemoryLimit::Bytes(size).write();
            assert_eq!(bytes(written.trim_matches('"')), Some(size), "{written}");
        }
        assert_eq!(MemoryLimit::Bytes(4 << 30).write(), "\"4 GiB\"");
    }
}
