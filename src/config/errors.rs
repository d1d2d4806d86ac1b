//! All errors of a configuration, collected so that the user sees everything at once.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::origin::Origin;
use crate::text;

/// The most errors shown; the rest is only counted. A file that is not a configuration has an error per line.
pub const TOLD: usize = 50;

/// The most characters quoted of a key or a string.
const QUOTED: usize = 80;

/// One error.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigError {
    origin: Origin,
    key: String,
    message: String,
}

impl ConfigError {
    /// `key` is the dotted path of the value; empty if the document itself is wrong.
    pub fn new(origin: Origin, key: &str, message: impl Into<String>) -> Self {
        Self {
            origin,
            key: short(key).into_owned(),
            message: message.into(),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.origin)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", text::plain(&self.key))?;
        }
        f.write_str(&text::plain(&self.message))
    }
}

/// The errors found so far: the first ones, and the total number. Values that cannot be read come before broken rules,
/// which may follow from them. Both are in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct Errors {
    /// The errors by line, with `--set` last. Errors of one line are in the order in which they were found. Errors found
    /// after reading come last.
    first: BTreeMap<(bool, usize, usize), ConfigError>,
    count: usize,
    is_read: bool,
}

impl Errors {
    /// Adds an error.
    pub fn push(&mut self, error: ConfigError) {
        let line = match error.origin {
            Origin::Line(line) => line,
            Origin::Set => usize::MAX,
        };
        self.first.insert((self.is_read, line, self.count), error);
        self.count += 1;
        if self.first.len() > TOLD {
            self.first.pop_last();
        }
    }

    /// Marks the end of reading. Returns the names of the tables with values that could not be read.
    pub(super) fn end_of_reading(&mut self) -> BTreeSet<String> {
        self.is_read = true;
        let tables = self.first.values().filter_map(|error| error.key.split('.').next());
        tables.map(str::to_string).collect()
    }

    /// Whether there are no errors.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The first errors, and the number of further ones.
    pub fn sorted(self) -> (Vec<ConfigError>, usize) {
        let more = self.count - self.first.len();
        (self.first.into_values().collect(), more)
    }
}

/// The known word nearest to `word`, if it is close enough to be the intended one.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = short(word);
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&word, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// The beginning of a text of any length.
pub fn short(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}
