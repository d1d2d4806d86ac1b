//! Where values of a configuration were written.

use std::fmt;

/// Where a value was written.
#[derive(Clone, Debug, PartialEq)]
pub enum Origin {
    /// In the file, on this line (from 1).
    Line(usize),
    /// On the command line, by `--set`.
    Set,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Line(line) => write!(f, "line {line}"),
            Origin::Set => f.write_str("--set"),
        }
    }
}
