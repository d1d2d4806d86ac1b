//! A file of events, read line by line in little memory. Lines are independent: a torn or damaged line is counted and skipped.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use serde_json::Value;

use super::error::MetricsError;

/// The longest event. A longer line is damaged.
const LONGEST: u64 = 1 << 20;

/// The most damaged lines listed by number.
const MAX_TOLD: usize = 5;

/// A file of events being read.
pub struct Lines<'a> {
    path: &'a Path,
    reader: Option<BufReader<File>>,
    line: Vec<u8>,
    number: u64,
    damaged: Damaged,
}

/// Lines without a valid event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Damaged {
    first: Vec<u64>,
    count: u64,
}

impl<'a> Lines<'a> {
    /// Opens a file. A missing file counts as empty.
    pub fn open(path: &'a Path) -> Result<Self, MetricsError> {
        let reader = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            file => Some(BufReader::new(file.map_err(MetricsError::of(path))?)),
        };
        Ok(Self {
            path,
            reader,
            line: Vec::new(),
            number: 0,
            damaged: Damaged::default(),
        })
    }

    /// The next event, and its line in the file.
    pub fn next_event(&mut self) -> Result<Option<(Value, &[u8])>, MetricsError> {
        while self.read_line().map_err(MetricsError::of(self.path))? {
            let event = serde_json::from_slice(&self.line).ok().filter(Value::is_object);
            if let Some(event) = event {
                return Ok(Some((event, &self.line)));
            }
            self.damaged.add(self.number);
        }
        Ok(None)
    }

    /// Reads a line without its newline, up to the longest length; `false` at the end of the file.
    fn read_line(&mut self) -> io::Result<bool> {
        let Some(reader) = &mut self.reader else {
            return Ok(false);
        };
        self.line.clear();
        self.number += 1;
        let read = reader.by_ref().take(LONGEST).read_until(b'\n', &mut self.line)?;
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
        } else if read as u64 == LONGEST {
            // Cut short, it is no longer valid JSON.
            reader.skip_until(b'\n')?;
        }
        Ok(read > 0)
    }

    /// The lines skipped so far.
    pub fn damaged(self) -> Damaged {
        self.damaged
    }
}

impl Damaged {
    fn add(&mut self, number: u64) {
        self.count += 1;
        if self.first.len() < MAX_TOLD {
            self.first.push(number);
        }
    }

    /// A message, if there are damaged lines: `lines 3, 7 are damaged`.
    pub fn text(&self) -> Option<String> {
        let numbers: Vec<String> = self.first.iter().map(ToString::to_string).collect();
        let more = self.count - numbers.len() as u64;
        match (self.count, more) {
            (0, _) => None,
            (1, _) => Some(format!("line {} is damaged", numbers[0])),
            (_, 0) => Some(format!("lines {} are damaged", numbers.join(", "))),
            _ => Some(format!("lines {} and {more} more are damaged", numbers.join(", "))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(bytes: &[u8]) -> (Vec<Value>, Option<String>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        fs::write(&path, bytes).unwrap();
        let mut lines = Lines::open(&path).unwrap();
        let mut events = Vec::new();
        while let Some((event, line)) = lines.next_event().unwrap() {
            assert_eq!(serde_json::from_slice::<Value>(line).unwrap(), event);
            events.push(event);
        }
        (events, lines.damaged().text())
    }

    #[test]
    fn a_damaged_line_costs_itself_and_nothing_else() {
        let (events, told) = read(b"{\"a\":1}\n{\"a\":\xff}\n{\"a\":3}\n7\n\n{\"a\":4}\n{\"a\":");
        assert_eq!(events, [1, 3, 4].map(|a| serde_json::json!({ "a": a })));
        assert_eq!(told.as_deref(), Some("lines 2, 4, 5, 7 are damaged"));
        let (events, told) = read(b"{\"a\":1}");
        assert_eq!((events.len(), told), (1, None), "only the newline is missing");
    }

    #[test]
    fn a_line_without_end_takes_no_memory_to_speak_of() {
        let long = [b"{\"a\":1}\n{\"b\":\"", &vec![b'x'; 3 << 20][..], b"\"}\n{\"a\":2}\n"].concat();
        let (events, told) = read(&long);
        assert_eq!(events.len(), 2);
        assert_eq!(told.as_deref(), Some("line 2 is damaged"));
    }

    #[test]
    fn no_file_has_no_events() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none");
        assert!(Lines::open(&path).unwrap().next_event().unwrap().is_none());
        // A folder is not a file. This is an error, not an empty file.
        assert!(
            Lines::open(folder.path())
                .and_then(|mut lines| lines.next_event().map(|_| ()))
                .is_err()
        );
    }
}
