//! Standard output and standard error. All output goes through this module.
//!
//! All text printed passes [`text::lines`], so names of files and classes never reach a terminal raw. A failed write (a
//! full disk behind a log, a terminal that is gone) never ends the process. The text is lost, and [`unwritten`] tells
//! whether it was part of the answer.

use std::fmt;
use std::io::{self, Write};
use std::sync::OnceLock;

use serde_json::Value;

use crate::text;

/// The first error of standard output.
static UNWRITTEN: OnceLock<io::Error> = OnceLock::new();

/// Writes the command's answer, one or more lines, to standard output.
pub fn to_stdout(args: fmt::Arguments<'_>) {
    let text = args.to_string();
    bytes(format!("{}\n", text::lines(&text)).as_bytes());
}

/// Writes a JSON value as one line to standard output.
pub fn json(value: &Value) {
    bytes(format!("{}\n", text::json(&value.to_string())).as_bytes());
}

/// Writes trusted bytes to standard output: a script, a manual page.
pub fn bytes(bytes: &[u8]) {
    let mut out = io::stdout().lock();
    if let Err(error) = out.write_all(bytes).and_then(|()| out.flush()) {
        // Only the first error counts.
        let _ = UNWRITTEN.set(error);
    }
}

/// Writes a message that is not part of the answer to standard error.
pub fn to_stderr(args: fmt::Arguments<'_>) {
    let text = args.to_string();
    // In one write, so that lines of several threads do not mix. A failure cannot be reported anywhere.
    let _ = io::stderr().write_all(format!("{}\n", text::lines(&text)).as_bytes());
}

/// Why a part of the answer could not be written, if it failed.
pub fn unwritten() -> Option<&'static io::Error> {
    UNWRITTEN.get()
}

/// Like `println!`, through [`to_stdout`].
macro_rules! answer {
    ($($arg:tt)*) => { $crate::observe::terminal::to_stdout(format_args!($($arg)*)) };
}

/// Like `eprintln!`, through [`to_stderr`].
macro_rules! tell {
    ($($arg:tt)*) => { $crate::observe::terminal::to_stderr(format_args!($($arg)*)) };
}

pub(crate) use {answer, tell};
