//! Text from outside on its way to a person: names of files and classes, and text that quotes them.
//!
//! A file name may contain anything but `/` and NUL: sequences that move a terminal's cursor, newlines that forge a line of
//! a log, marks that reverse the reading direction. Errors and listings show such text by [`plain`] and [`path`], web pages
//! by [`html`]. All printed text passes [`lines`] once more, so that a name that was forgotten does not reach a terminal
//! raw.

use std::borrow::Cow;
use std::fmt::Write;
use std::path::Path;

/// One line of text with only visible characters. Control characters, line separators and direction marks are escaped
/// (`\n`, `\u{1b}`).
pub fn plain(text: &str) -> Cow<'_, str> {
    escaped(text, acts)
}

/// Several lines of text, like [`plain`] but with newlines unchanged.
pub fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c != '\n' && acts(c))
}

/// JSON text as [`plain`] text: invisible characters that its writer left inside strings get JSON's own escapes.
pub fn json(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let escape = |c: char| {
        if acts(c) {
            format!("\\u{:04x}", c as u32)
        } else {
            c.to_string()
        }
    };
    Cow::Owned(text.chars().map(escape).collect())
}

/// A path as [`plain`] text. Bytes that are not UTF-8 become `�`.
pub fn path(path: &Path) -> String {
    plain(&path.to_string_lossy()).into_owned()
}

/// Text for the content of an HTML element or of a quoted attribute.
pub fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in plain(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Wraps text to lines of at most `columns` characters, between words. Further lines are indented by two spaces. A longer
/// word stays whole.
pub fn wrapped(text: &str, columns: usize) -> String {
    let lines = text.split('\n').map(|line| joined(line.split(' '), columns, ""));
    lines.collect::<Vec<_>>().join("\n")
}

/// Wraps a shell command like [`wrapped`], but never inside single quotes. A backslash ends each broken line, so that the
/// whole can be pasted into a shell.
pub fn wrapped_command(command: &str, columns: usize) -> String {
    const END: &str = " \\";
    if command.chars().count() <= columns {
        return command.to_string();
    }
    let (mut is_quoted, mut is_escaped) = (false, false);
    let words = command.split(|c| {
        is_quoted ^= c == '\'' && !is_escaped;
        is_escaped = c == '\\' && !is_quoted;
        c == ' ' && !is_quoted
    });
    joined(words, columns.saturating_sub(END.len()), END)
}

/// Joins words to lines of at most `columns` characters, without counting the `end` of a broken line.
fn joined<'a>(words: impl Iterator<Item = &'a str>, columns: usize, end: &str) -> String {
    let (mut out, mut used) = (String::new(), 0);
    for (at, word) in words.enumerate() {
        let length = word.chars().count();
        if at > 0 && used + 1 + length > columns && !word.is_empty() {
            out += end;
            out += "\n  ";
            used = 2;
        } else if at > 0 {
            out.push(' ');
            used += 1;
        }
        out += word;
        used += length;
    }
    out
}

/// A number with digits grouped by three: 60,965,224.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number rounded to three significant digits: 0.001 and not 0.0009999999.
pub fn significant(number: f64) -> f64 {
    format!("{number:.2e}").parse().unwrap_or(number)
}

/// A number of things: `1 step`, `1,128 steps`, `2 batches`.
pub fn counted(number: u64, thing: &str) -> String {
    let plural = match number {
        1 => "",
        _ if thing.ends_with("tch") || thing.ends_with('s') => "es",
        _ => "s",
    };
    format!("{} {thing}{plural}", grouped(number))
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            c if !is_escaped(c) => out.push(c),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // Writing to a String cannot fail.
            c => drop(write!(out, "\\u{{{:x}}}", c as u32)),
        }
    }
    Cow::Owned(out)
}

/// Whether a character affects its surroundings instead of being visible.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_act_are_shown_and_others_stay() {
        for (text, shown) in [
            ("my cat ä 猫.jpg", "my cat ä 猫.jpg"),
            ("a\u{1b}[2Jb", "a\\u{1b}[2Jb"),
            ("a\nerror: b\r\t", "a\\nerror: b\\r\\t"),
            ("\u{7}\u{9b}31m\u{7f}", "\\u{7}\\u{9b}31m\\u{7f}"),
            ("gpj.\u{202e}x", "gpj.\\u{202e}x"),
        ] {
            assert_eq!(plain(text), shown);
            assert_eq!(path(Path::new(text)), shown);
        }
        assert_eq!(lines("a\nb\u{1b}"), "a\nb\\u{1b}");
    }

    #[test]
    fn a_tenth_of_a_rate_is_as_short_as_the_rate() {
        for (rate, shown) in [
            (0.01f32, "0.001"),
            (0.02, "0.002"),
            (0.001, "0.0001"),
            (0.125, "0.0125"),
            (1e6, "100000"),
        ] {
            assert_eq!(significant(f64::from(rate) / 10.0).to_string(), shown);
        }
    }

    #[test]
    fn things_are_counted_in_english() {
        for (number, thing, shown) in [
            (1, "batch", "1 batch"),
            (2, "batch", "2 batches"),
            (2, "epoch", "2 epochs"),
            (0, "class", "0 classes"),
            (1128, "step", "1,128 steps"),
        ] {
            assert_eq!(counted(number, thing), shown);
        }
    }

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrapped("one two  three", 80), "one two  three");
        assert_eq!(wrapped("one two three four", 9), "one two\n  three\n  four");
        assert_eq!(wrapped("one\n\ntwo", 3), "one\n\ntwo");
        assert_eq!(wrapped("extraordinary word", 5), "extraordinary\n  word");
        assert_eq!(wrapped("", 0), "");
    }

    #[test]
    fn a_broken_command_is_still_one_command() {
        let command = "next  pipeline run 'my photos/a b.toml' --resume";
        assert_eq!(wrapped_command(command, 80), command);
        assert_eq!(wrapped_command(command, command.len()), command);
        let broken = wrapped_command(command, 24);
        assert_eq!(broken, "next  pipeline run \\\n  'my photos/a b.toml' \\\n  --resume");
        assert_eq!(broken.replace(" \\\n  ", " "), command);
        assert!(broken.lines().all(|line| line.chars().count() <= 24), "{broken}");
        assert_eq!(
            wrapped_command(r"run 'a'\''s b' --x", 4),
            "run \\\n  'a'\\''s b' \\\n  --x"
        );
    }

    #[test]
    fn digits_stand_in_groups() {
        let shown = [0, 999, 1000, 60_965_224].map(grouped);
        assert_eq!(shown, ["0", "999", "1,000", "60,965,224"]);
    }

    #[test]
    fn json_stays_json() {
        let name = "a\u{1b}\u{9b}\u{202e}\n";
        let value = serde_json::Value::from(name);
        let text = value.to_string();
        assert_eq!(json(&text), r#""a\u001b\u009b\u202e\n""#);
        assert_eq!(serde_json::from_str::<String>(&json(&text)).unwrap(), name);
    }

    #[test]
    fn html_holds_no_tag_and_ends_no_attribute() {
        assert_eq!(html("<b a=\"'&\u{1b}"), "&lt;b a=&quot;&#39;&amp;\\u{1b}");
    }
}
