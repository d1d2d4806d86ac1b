//! Turns a sample's id into its key in a shard and into text in a line.
//!
//! WebDataset splits a member's name at the first dot of its last part into key and extension. So a key must not contain a
//! dot. It also must not lead elsewhere when the shard is unpacked. WebDataset skips members in folders like `__this__`,
//! which it reserves, so a key must not begin with one.

use std::collections::{HashMap, HashSet};

use super::super::Dataset;
use super::super::extension::stem;

/// The keys of all samples of a data set.
pub struct Keys {
    /// Whether the image extension is dropped.
    short: Vec<bool>,
}

impl Keys {
    /// Finds the samples that keep their extension: without it, another sample of the class would have the same key.
    pub fn new(data: &Dataset) -> Self {
        let mut short = Vec::with_capacity(data.len());
        let mut from = 0;
        while from < data.len() {
            // Canonical order is by class.
            let label = data.label(from);
            let until = (from..data.len())
                .find(|&i| data.label(i) != label)
                .unwrap_or(data.len());
            let names: HashSet<&str> = (from..until).map(|i| data.id(i).name()).collect();
            let mut stems: HashMap<&str, u32> = HashMap::new();
            for i in from..until {
                *stems.entry(stem(data.id(i).name())).or_default() += 1;
            }
            for i in from..until {
                let name = data.id(i).name();
                let stem = stem(name);
                short.push(stems[stem] == 1 && (stem == name || !names.contains(stem)));
            }
            from = until;
        }
        Self { short }
    }

    /// The key of sample `i`.
    pub fn key(&self, data: &Dataset, i: usize) -> String {
        let id = data.id(i);
        let name = if self.short[i] { stem(id.name()) } else { id.name() };
        let mut key = String::with_capacity(id.class().len() + 1 + name.len());
        encode(id.class(), &mut key);
        key.push('/');
        encode(name, &mut key);
        if begins_with_reserved_folder(&key) {
            key.replace_range(..1, "%5F");
        }
        key
    }
}

/// Whether the first folder of a key is reserved by WebDataset: it begins and ends with two underscores.
fn begins_with_reserved_folder(key: &str) -> bool {
    let folder = key.split('/').next().unwrap_or_default();
    folder.strip_prefix("__").is_some_and(|rest| rest.ends_with("__"))
}

/// Appends `name`. Dots, percent signs, control characters and slashes that separate nothing become `%` and two digits.
fn encode(name: &str, out: &mut String) {
    let mut after_slash = true;
    for (at, c) in name.char_indices() {
        let last = at + c.len_utf8() == name.len();
        let is_plain = !matches!(c, '.' | '%') && !c.is_control() && (c != '/' || !(after_slash || last));
        if is_plain {
            out.push(c);
        } else {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                out.push_str(&format!("%{byte:02X}"));
            }
        }
        after_slash = c == '/';
    }
}

/// Text in a field of a line: tab, newline, carriage return and backslash are written `\t`, `\n`, `\r`, `\\`.
pub(super) fn escape(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('\t', "\\t")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
}

/// Undoes [`escape`]; `None` if `escape` did not make the text.
pub(super) fn unescape(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.push(match c {
            '\\' => match chars.next()? {
                '\\' => '\\',
                't' => '\t',
                'n' => '\n',
                'r' => '\r',
                _ => return None,
            },
            c => c,
        });
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_hold_no_dot_and_lead_nowhere() {
        let encoded = |name: &str| {
            let mut out = String::new();
            encode(name, &mut out);
            out
        };
        for (name, key) in [
            ("a b/é", "a b/é"),
            ("v1.2", "v1%2E2"),
            ("100%", "100%25"),
            ("../x", "%2E%2E/x"),
            ("/abs//x/", "%2Fabs/%2Fx%2F"),
            ("a\tb\n", "a%09b%0A"),
        ] {
            assert_eq!(encoded(name), key);
        }
    }

    #[test]
    fn folders_that_webdataset_passes_over_are_known() {
        for key in ["__misc__/a", "____/a", "______/__a__"] {
            assert!(begins_with_reserved_folder(key), "{key}");
        }
        for key in [
            "___/a",
            "__misc/a",
            "misc__/a",
            "a/__misc__/b",
            "_x_/a",
            "__misc__%2F/a",
        ] {
            assert!(!begins_with_reserved_folder(key), "{key}");
        }
    }

    #[test]
    fn escaped_text_comes_back() {
        for text in ["plain", "a\tb\\n\nc\r\\"] {
            assert_eq!(unescape(&escape(text)).as_deref(), Some(text));
            assert!(!escape(text).contains(['\t', '\n', '\r']));
        }
        assert_eq!(unescape("a\\x"), None);
    }
}
