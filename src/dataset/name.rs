//! Names of classes and samples: plain components of paths, checked once when a data set is opened.
//!
//! Names come from files that anyone may have written, and become paths below a folder chosen by the user. So paths are
//! only made from a [`SampleId`], whose parts never lead anywhere but down.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::text::plain;

/// Why a text is not a valid name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    /// The text is empty.
    #[error("it is empty")]
    Empty,
    /// It begins at the root.
    #[error("it is absolute")]
    Absolute,
    /// `.` or `..`.
    #[error("it leads to another folder")]
    Dots,
    /// A class is one component.
    #[error("it contains a /")]
    Slash,
    /// Two separators in a row, or one at the end.
    #[error("a part of it is empty")]
    EmptyPart,
    /// No file system allows it.
    #[error("it contains a NUL")]
    Nul,
}

/// A class's name: one plain component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassName<'a>(&'a str);

impl<'a> ClassName<'a> {
    /// Checks a text.
    pub fn new(text: &'a str) -> Result<Self, NameFault> {
        match text {
            "" => Err(NameFault::Empty),
            "." | ".." => Err(NameFault::Dots),
            _ if text.contains('/') => Err(NameFault::Slash),
            _ if text.contains('\0') => Err(NameFault::Nul),
            _ => Ok(Self(text)),
        }
    }

    /// The text.
    pub fn as_str(self) -> &'a str {
        self.0
    }
}

/// A sample's name inside its class: plain components, joined by `/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleName<'a>(&'a str);

impl<'a> SampleName<'a> {
    /// Checks a text.
    pub fn new(text: &'a str) -> Result<Self, NameFault> {
        if text.is_empty() {
            return Err(NameFault::Empty);
        }
        if text.starts_with('/') {
            return Err(NameFault::Absolute);
        }
        for part in text.split('/') {
            match ClassName::new(part) {
                Ok(_) => {}
                Err(NameFault::Empty) => return Err(NameFault::EmptyPart),
                Err(fault) => return Err(fault),
            }
        }
        Ok(Self(text))
    }

    /// A name from a store that only holds checked names.
    pub(super) fn kept(text: &'a str) -> Self {
        debug_assert!(Self::new(text).is_ok(), "{text:?} was kept unchecked");
        Self(text)
    }

    /// The text.
    pub fn as_str(self) -> &'a str {
        self.0
    }
}

/// A path without the parts that lead nowhere or elsewhere: `../photos/./a.jpg` becomes `photos/a.jpg`.
pub(super) fn plain_parts(path: &str) -> Cow<'_, str> {
    let is_plain = |part: &&str| !matches!(*part, "" | "." | "..");
    if path.split('/').all(|part| is_plain(&part)) {
        return Cow::Borrowed(path);
    }
    Cow::Owned(path.split('/').filter(is_plain).collect::<Vec<_>>().join("/"))
}

/// The names of all classes, without duplicates.
#[derive(Clone, Debug)]
pub(super) struct Classes(Vec<String>);

impl Classes {
    /// Checks names. The error is the first name that is invalid or a duplicate, and the reason.
    pub(super) fn new(names: Vec<String>) -> Result<Self, (String, String)> {
        for name in &names {
            if let Err(fault) = ClassName::new(name) {
                return Err((name.clone(), fault.to_string()));
            }
        }
        let mut sorted: Vec<&String> = names.iter().collect();
        sorted.sort_unstable();
        match sorted.array_windows().find(|[a, b]| a == b) {
            Some([name, _]) => Err(((*name).clone(), "two classes have it".to_owned())),
            None => Ok(Self(names)),
        }
    }

    pub(super) fn as_slice(&self) -> &[String] {
        &self.0
    }

    /// The name of the class `label`.
    pub(super) fn name(&self, label: u32) -> ClassName<'_> {
        ClassName(&self.0[label as usize])
    }
}

/// A sample's id, shown as `CLASS/name`, with characters that act on a terminal escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleId<'a> {
    class: ClassName<'a>,
    name: SampleName<'a>,
}

impl<'a> SampleId<'a> {
    /// The id of the sample `name` of `class`.
    pub fn new(class: ClassName<'a>, name: SampleName<'a>) -> Self {
        Self { class, name }
    }

    /// The class's name.
    pub fn class(self) -> &'a str {
        self.class.0
    }

    /// The name inside the class.
    pub fn name(self) -> &'a str {
        self.name.0
    }

    /// `CLASS/name` with all characters unescaped: for files and comparisons. Messages show the id itself.
    pub fn raw(self) -> String {
        format!("{}/{}", self.class.0, self.name.0)
    }

    /// The sample's path below a folder of class folders. This is the only way from a name to a path.
    pub fn path_below(self, folder: &Path) -> PathBuf {
        folder.join(self.class.0).join(self.name.0)
    }
}

impl fmt::Display for SampleId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", plain(self.class.0), plain(self.name.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_one_plain_component() {
        for name in ["cat", "my cat", ".hidden", "...", "a\\..\\b", "C:", "猫", "a\u{1b}"] {
            assert_eq!(ClassName::new(name).map(ClassName::as_str), Ok(name));
        }
        for name in ["", ".", "..", "/", "a/b", "/a", "a/", "../a", "a\0"] {
            assert!(ClassName::new(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_sample_is_plain_components() {
        for name in ["a.jpg", "x/y/a.jpg", "..a/b..", "a\\..\\b"] {
            assert_eq!(SampleName::new(name).map(SampleName::as_str), Ok(name));
        }
        for name in ["", "/a", "a/", "a//b", "./a", "a/.", "../a", "a/../b", "a/\0"] {
            assert!(SampleName::new(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn what_is_left_of_a_path_is_a_name() {
        for (path, left) in [
            ("a/b.jpg", "a/b.jpg"),
            ("../../x/./b.jpg", "x/b.jpg"),
            ("/etc//x/", "etc/x"),
            ("a/../b", "a/b"),
            ("..", ""),
        ] {
            assert_eq!(plain_parts(path), left);
        }
    }

    #[test]
    fn an_id_is_shown_without_characters_that_act() {
        let id = SampleId::new(ClassName("a\u{1b}[2J"), SampleName("b\n.jpg"));
        assert_eq!(id.to_string(), "a\\u{1b}[2J/b\\n.jpg");
        assert_eq!(id.raw(), "a\u{1b}[2J/b\n.jpg");
        assert_eq!(id.path_below(Path::new("out")), Path::new("out/a\u{1b}[2J/b\n.jpg"));
    }
}
