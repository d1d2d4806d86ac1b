//! The two files of lines beside each shard: `.idx` has the positions of members, `.sums` the hashes of their contents.

use super::keys::{escape, unescape};

/// A member's contents in a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) at: u64,
    pub(super) bytes: u64,
}

/// A sample's line in `.idx`: DALI's wds2idx format, version 1.1. (Version 1.2 adds names, which must not contain blanks.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) extension: String,
    pub(super) image: Span,
    pub(super) class: Span,
}

/// A sample's line in `.sums`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sum {
    /// xxh3-64 of the member.
    pub(super) member: u64,
    /// xxh3-64 of the source's encoded bytes.
    pub(super) original: u64,
    /// Canonical index in the source.
    pub(super) index: u32,
    pub(super) label: u32,
    pub(super) key: String,
    /// `CLASS/name` in the source.
    pub(super) id: String,
}

impl Place {
    pub(super) fn line(&self) -> String {
        let Self {
            extension,
            image,
            class,
        } = self;
        let (image_at, image_bytes, class_at, class_bytes) = (image.at, image.bytes, class.at, class.bytes);
        format!("{extension} {image_at} {image_bytes} cls {class_at} {class_bytes}\n")
    }

    /// All lines of a file. The error is the reason.
    pub(super) fn parse_all(text: &str) -> Result<Vec<Self>, String> {
        let mut lines = text.lines();
        let head = lines.next().and_then(|head| head.strip_prefix("v1.1 "));
        let count: usize = head
            .and_then(|count| count.parse().ok())
            .ok_or("does not begin with v1.1 and a number")?;
        let mut places = Vec::new();
        for (i, line) in lines.enumerate() {
            places.push(Self::parse(line).ok_or_else(|| format!("line {} is damaged", i + 2))?);
        }
        if places.len() == count {
            Ok(places)
        } else {
            Err(format!("claims {count} samples, but has {}", places.len()))
        }
    }

    fn parse(line: &str) -> Option<Self> {
        let parts: Vec<&str> = line.split(' ').collect();
        let [extension, image_at, image_bytes, "cls", class_at, class_bytes] = parts[..] else {
            return None;
        };
        let span = |at: &str, bytes: &str| {
            Some(Span {
                at: at.parse().ok()?,
                bytes: bytes.parse().ok()?,
            })
        };
        Some(Self {
            extension: extension.to_owned(),
            image: span(image_at, image_bytes)?,
            class: span(class_at, class_bytes)?,
        })
    }
}

impl Sum {
    pub(super) fn line(&self) -> String {
        let Self {
            member,
            original,
            index,
            label,
            key,
            id,
        } = self;
        let (key, id) = (escape(key), escape(id));
        format!("{member:016x}\t{original:016x}\t{index}\t{label}\t{key}\t{id}\n")
    }

    /// All lines of a file. The error is the reason.
    pub(super) fn parse_all(text: &str) -> Result<Vec<Self>, String> {
        let parsed = text.lines().enumerate();
        parsed
            .map(|(i, line)| Self::parse(line).ok_or_else(|| format!("line {} is damaged", i + 1)))
            .collect()
    }

    fn parse(line: &str) -> Option<Self> {
        let parts: Vec<&str> = line.split('\t').collect();
        let [member, original, index, label, key, id] = parts[..] else {
            return None;
        };
        Some(Self {
            member: u64::from_str_radix(member, 16).ok()?,
            original: u64::from_str_radix(original, 16).ok()?,
            index: index.parse().ok()?,
            label: label.parse().ok()?,
            key: unescape(key)?,
            id: unescape(id)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back() {
        let place = Place {
            extension: "jpg".into(),
            image: Span { at: 512, bytes: 99 },
            class: Span { at: 1536, bytes: 1 },
        };
        assert_eq!(place.line(), "jpg 512 99 cls 1536 1\n");
        let text = format!("v1.1 1\n{}", place.line());
        assert_eq!(Place::parse_all(&text), Ok(vec![place]));
        assert!(Place::parse_all("v1.1 2\njpg 1 2 cls 3 4\n").is_err());
        let sum = Sum {
            member: 1,
            original: u64::MAX,
            index: 7,
            label: 2,
            key: "a/b c".into(),
            id: "a/b\tc.jpg".into(),
        };
        assert_eq!(Sum::parse_all(&sum.line()), Ok(vec![sum]));
        assert!(Sum::parse_all("1\t2\t3\n").is_err());
    }
}
