//! All that is wrong with a configuration, collected so that the user sees everything at once.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::node::Origin;
use crate::text;

/// Errors that are told; of those after them only the number. A file that is no configuration has one a line.
pub const TOLD: usize = 50;

/// Characters of a key or of a string that are quoted.
const QUOTED: usize = 80;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigError {
    origin: Origin,
    key: String,
    message: String,
}

impl ConfigError {
    /// `key` is the dotted path of the value; empty where the document itself is wrong.
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

/// What has been found wrong so far: the first errors, and how many there are. What cannot be read comes before rules that are
/// broken, which may follow from it; each in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct Errors {
    /// By line, `--set` last, and within a line in the order in which they were found; what was found after the reading last.
    first: BTreeMap<(bool, usize, usize), ConfigError>,
    count: usize,
    is_read: bool,
}

impl Errors {
    /// Adds one.
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

    /// Says that all values have been read, and gives the names of the tables in which something could not be.
    pub(super) fn end_of_reading(&mut self) -> BTreeSet<String> {
        self.is_read = true;
        let tables = self.first.values().filter_map(|error| error.key.split('.').next());
        tables.map(str::to_string).collect()
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The first of them, and how many more there are.
    pub fn sorted(self) -> (Vec<ConfigError>, usize) {
        let more = self.count - self.first.len();
        (self.first.into_values().collect(), more)
    }
}

/// The known word nearest to `word`, if it is near enough to be meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = short(word);
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&word, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// The beginning of a text that may be of any length.
pub fn short(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}
