//! The live line on a terminal. It shows as many parts as fit.

use std::io::IsTerminal;
use std::time::Duration;

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::text;

/// The length of a bar in characters.
const BAR: usize = 16;

/// A part of the line. If the line is too short, the parts with the highest rank are left out.
pub struct Part {
    rank: u32,
    text: String,
}

/// A part of the given rank.
pub fn part(rank: u32, text: impl Into<String>) -> Part {
    let text = text.into();
    Part { rank, text }
}

/// A changing line at the bottom of the terminal. Clones share the same line.
#[derive(Clone)]
pub struct Live(ProgressBar);

impl Live {
    /// A live line, if standard error is a terminal.
    pub fn start() -> Option<Self> {
        std::io::stderr().is_terminal().then(|| {
            let line = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            // The template is a constant. If it were wrong, the library's own would be used.
            line.set_style(ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar()));
            line.enable_steady_tick(Duration::from_millis(500));
            Self(line)
        })
    }

    /// Shows these parts.
    pub fn redraw(&self, parts: &[Part]) {
        self.0.set_message(within(columns(), parts));
    }

    /// Prints text above the line.
    pub fn print(&self, text: &str) {
        self.0.println(text::wrapped(&text::lines(text), columns()));
    }

    /// Removes the line.
    pub fn end(&self) {
        self.0.finish_and_clear();
    }
}

/// The columns that a line may fill: one less than the terminal has, because some terminals wrap after a full line.
fn columns() -> usize {
    usize::from(Term::stderr().size().1).saturating_sub(1)
}

/// Text that is broken between words where standard error is a terminal that is narrower.
pub fn fitted(text: &str) -> String {
    if std::io::stderr().is_terminal() {
        text::wrapped(text, columns())
    } else {
        text.to_string()
    }
}

/// Text for standard output, broken between words where that is a terminal that is narrower.
pub fn fitted_answer(text: &str) -> String {
    answer_columns().map_or_else(|| text.to_string(), |columns| text::wrapped(text, columns))
}

/// A shell command behind a label, for standard output; broken where that is a terminal that is narrower.
pub fn fitted_command(label: &str, command: &str) -> String {
    let columns = answer_columns().unwrap_or(usize::MAX);
    let command = text::wrapped_command(command, columns.saturating_sub(label.len()));
    format!("{label}{command}")
}

/// The columns of standard output, if it is a terminal.
fn answer_columns() -> Option<usize> {
    let term = Term::stdout();
    term.is_term().then(|| usize::from(term.size().1).saturating_sub(1))
}

/// The parts that fit, in order, two spaces apart.
pub fn within(columns: usize, parts: &[Part]) -> String {
    let mut kept: Vec<&Part> = parts.iter().collect();
    loop {
        let texts: Vec<&str> = kept.iter().map(|part| part.text.as_str()).collect();
        let line = texts.join("  ");
        match kept.iter().map(|part| part.rank).max() {
            Some(last) if line.chars().count() > columns && kept.len() > 1 => kept.retain(|part| part.rank != last),
            _ => return line.chars().take(columns).collect(),
        }
    }
}

/// `[#####-----------]`
pub fn bar(done: u64, of: u64) -> String {
    let filled = (BAR as u64 * done.min(of) / of.max(1)) as usize;
    format!("[{}{}]", "#".repeat(filled), "-".repeat(BAR - filled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_as_many_parts_as_fit_and_whole_words() {
        let parts = [
            part(0, "epoch 12/90"),
            part(4, bar(3_000, 112_590)),
            part(5, "step 15012/112590"),
            part(2, "loss 3.1416"),
            part(6, "lr 0.01"),
            part(3, "431 images/s"),
            part(1, "23.4 h left"),
        ];
        let line = |columns| within(columns, &parts);
        let all = "epoch 12/90  [----------------]  step 15012/112590  loss 3.1416  lr 0.01  431 images/s  23.4 h left";
        assert_eq!(line(200), all);
        assert_eq!(
            line(79),
            "epoch 12/90  [----------------]  loss 3.1416  431 images/s  23.4 h left"
        );
        assert_eq!(line(39), "epoch 12/90  loss 3.1416  23.4 h left");
        assert_eq!(line(25), "epoch 12/90  23.4 h left");
        for columns in 0..120 {
            assert!(line(columns).chars().count() <= columns);
        }
    }

    #[test]
    fn a_bar_is_as_long_at_every_step() {
        assert_eq!(bar(0, 10), "[----------------]");
        assert_eq!(bar(5, 10), "[########--------]");
        assert_eq!(bar(11, 10), "[################]");
        assert_eq!(bar(0, 0), "[----------------]");
    }
}
