//! Standard output and standard error: the only door to both.
//!
//! Everything that is printed passes [`text::lines`], so that no name of a file or a class reaches a terminal raw. A stream that
//! cannot be written (a full disk behind a log, a terminal that is gone) never ends the process: what was to be told is lost, and
//! [`unwritten`] says whether an answer was.

use std::fmt;
use std::io::{self, Write};
use std::sync::OnceLock;

use serde_json::Value;

use crate::text;

/// The first error of standard output.
static UNWRITTEN: OnceLock<io::Error> = OnceLock::new();

/// Writes what the command was asked for, a line or more, to standard output.
pub fn to_stdout(args: fmt::Arguments<'_>) {
    let text = args.to_string();
    bytes(format!("{}\n", text::lines(&text)).as_bytes());
}

/// Writes a JSON value as one line to standard output.
pub fn json(value: &Value) {
    bytes(format!("{}\n", text::json(&value.to_string())).as_bytes());
}

/// Writes bytes that are ours to standard output: a script, a manual page.
pub fn bytes(bytes: &[u8]) {
    let mut out = io::stdout().lock();
    if let Err(error) = out.write_all(bytes).and_then(|()| out.flush()) {
        // Only the first counts.
        let _ = UNWRITTEN.set(error);
    }
}

/// Tells something beside the answer, on standard error.
pub fn to_stderr(args: fmt::Arguments<'_>) {
    let text = args.to_string();
    // In one piece, so that lines of several threads do not mix. Nobody is left who could be told of a failure.
    let _ = io::stderr().write_all(format!("{}\n", text::lines(&text)).as_bytes());
}

/// Why a part of the answer could not be written, if so.
pub fn unwritten() -> Option<&'static io::Error> {
    UNWRITTEN.get()
}

/// As `println!`, through [`to_stdout`].
macro_rules! answer {
    ($($arg:tt)*) => { $crate::observe::terminal::to_stdout(format_args!($($arg)*)) };
}

/// As `eprintln!`, through [`to_stderr`].
macro_rules! tell {
    ($($arg:tt)*) => { $crate::observe::terminal::to_stderr(format_args!($($arg)*)) };
}

pub(crate) use {answer, tell};
