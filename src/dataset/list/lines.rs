//! The lines of a list, each with a path and a label.

use csv::{ErrorKind, ReaderBuilder, StringRecord};

/// A line with a sample.
pub(super) struct Line<'a> {
    pub(super) path: &'a str,
    pub(super) label: &'a str,
    /// Counted from 1.
    pub(super) number: usize,
}

/// The reason, and the line number, from 1.
pub(super) type Wrong = (usize, String);

/// Visits every line that has a sample. An error from `visit` is also reported as a reason.
pub(super) fn for_each(
    list: &[u8],
    is_csv: bool,
    visit: &mut dyn FnMut(Line<'_>) -> Result<(), String>,
) -> Result<(), Wrong> {
    let list = list.strip_prefix("\u{feff}".as_bytes()).unwrap_or(list);
    if is_csv {
        of_csv(list, visit)
    } else {
        of_text(list, visit)
    }
}

/// The reason for a line that is not text.
const NOT_UTF8: &str = "not UTF-8; save the list as UTF-8";

fn of_text(list: &[u8], visit: &mut dyn FnMut(Line<'_>) -> Result<(), String>) -> Result<(), Wrong> {
    for (index, line) in list.split(|&byte| byte == b'\n').enumerate() {
        let wrong = |reason: String| (index + 1, reason);
        let line = str::from_utf8(line).map_err(|_| wrong(NOT_UTF8.into()))?.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let parts = line.rsplit_once('\t').or_else(|| line.rsplit_once(' '));
        let parts = parts.map(|(path, label)| (path.trim(), label.trim()));
        let Some((path, label)) = parts.filter(|(path, label)| !path.is_empty() && !label.is_empty()) else {
            return Err(wrong(format!(
                "{line:?} has no label; write the path, a tab or space, and the label"
            )));
        };
        let number = index + 1;
        visit(Line { path, label, number }).map_err(wrong)?;
    }
    Ok(())
}

fn of_csv(list: &[u8], visit: &mut dyn FnMut(Line<'_>) -> Result<(), String>) -> Result<(), Wrong> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        // The number of fields is checked here, for a better message.
        .flexible(true)
        .comment(Some(b'#'))
        .from_reader(list);
    let mut record = StringRecord::new();
    loop {
        let before = reader.position().line() as usize;
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(error) => {
                let line = error.position().map_or(before, |position| position.line() as usize);
                let reason = match error.kind() {
                    ErrorKind::Utf8 { .. } => NOT_UTF8.to_owned(),
                    _ => error.to_string(),
                };
                return Err((line, reason));
            }
        }
        let line = record.position().map_or(before, |position| position.line() as usize);
        let wrong = |reason: String| (line, reason);
        // After a blank, a quotation mark is an ordinary character. Nobody who writes one there means that.
        let is_loose = |field: &str| field.starts_with(' ') && field.trim().starts_with('"');
        if record.iter().any(is_loose) {
            return Err(wrong(
                "there is a space between a comma and a quotation mark; remove it".to_owned(),
            ));
        }
        let fields: Vec<&str> = record.iter().map(str::trim).collect();
        let (path, label) = match fields[..] {
            [""] => continue,
            [path, label] if !path.is_empty() && !label.is_empty() => (path, label),
            [one] => {
                return Err(wrong(format!(
                    "{one:?} has no label; write the path, a comma and the label (or name a list with tabs .tsv)"
                )));
            }
            [_, _] => return Err(wrong("a path or a label is empty".to_owned())),
            _ => {
                return Err(wrong(format!(
                    "it has {} fields instead of a path and a label; put quotes around a path with commas",
                    fields.len()
                )));
            }
        };
        let number = line;
        visit(Line { path, label, number }).map_err(wrong)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(list: &str, is_csv: bool) -> Result<Vec<(String, String)>, Wrong> {
        let mut found = Vec::new();
        for_each(list.as_bytes(), is_csv, &mut |line| {
            found.push((line.path.to_owned(), line.label.to_owned()));
            Ok(())
        })?;
        Ok(found)
    }

    #[test]
    fn csv_has_quotes_comments_and_any_line_ends() {
        let list = "\u{feff}# c\r\na.jpg,x\r\n\n\"b,\"\"c\"\".jpg\" ,my class \n\"two\nlines.jpg\",x";
        let pairs = [("a.jpg", "x"), ("b,\"c\".jpg", "my class"), ("two\nlines.jpg", "x")];
        let pairs = pairs.map(|(path, label)| (path.to_owned(), label.to_owned()));
        assert_eq!(read(list, true), Ok(pairs.into()));
    }

    #[test]
    fn wrong_lines_are_numbered_from_one() {
        for (list, is_csv, line) in [
            ("a,b\nc\n", true, 2),
            ("# x\n\na,b\nc,d,e\n", true, 4),
            ("a b\n#\nc\n", false, 3),
            ("a,b\n,c", true, 2),
            ("a,\"b\nb\"\nc", true, 3),
            ("a,b\nc, \"d\"", true, 2),
        ] {
            assert_eq!(read(list, is_csv).unwrap_err().0, line, "{list:?}");
        }
        assert!(
            for_each(b"a\xff,b", true, &mut |_| Ok(()))
                .unwrap_err()
                .1
                .contains("UTF-8")
        );
    }

    #[test]
    fn quotes_and_commas_mean_nothing_in_other_lists() {
        let pairs = [("\"a, b\".jpg".to_owned(), "x,y".to_owned())];
        assert_eq!(read("\"a, b\".jpg\tx,y", false), Ok(pairs.into()));
    }
}
