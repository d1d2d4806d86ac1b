//! All that is wrong with a configuration, collected so that the user sees everything at once.

use std::fmt;

use super::node::Origin;

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
            key: key.to_string(),
            message: message.into(),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.origin)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

/// What has been found wrong so far.
#[derive(Clone, Debug, Default)]
pub struct Errors(Vec<ConfigError>);

impl Errors {
    /// Adds one.
    pub fn push(&mut self, error: ConfigError) {
        self.0.push(error);
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In the order of the file: lines first, then `--set`.
    pub fn sorted(mut self) -> Vec<ConfigError> {
        self.0.sort_by_key(|error| match error.origin {
            Origin::Line(line) => line,
            Origin::Set => usize::MAX,
        });
        self.0
    }
}

/// The known word nearest to `word`, if it is near enough to be meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
