//! Progress of a pass over images: a live line on a terminal, a plain line now and then elsewhere, nothing with `--quiet`.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget};

use super::progress::style;
use super::terminal::tell;
use crate::text;

/// Seconds between two lines where there is no terminal.
const LINE_EVERY_S: u64 = 10;

/// How far a pass is. Clones are of the same pass.
#[derive(Clone)]
pub struct ImagesProgress {
    /// On a terminal.
    bar: Option<ProgressBar>,
    /// Elsewhere.
    lines: Option<Arc<Lines>>,
}

/// What there is to tell without a terminal.
struct Lines {
    what: &'static str,
    total: u64,
    start: Instant,
    /// Images done before the pass began.
    from: u64,
    done: AtomicU64,
    /// How many times [`LINE_EVERY_S`] had passed at the newest line.
    told: AtomicU64,
}

impl ImagesProgress {
    /// For a pass over `total` images, called `what`, of which `done` are done already.
    pub fn new(total: u64, what: &'static str, done: u64, quiet: bool) -> Self {
        let is_live = !quiet && std::io::stderr().is_terminal();
        let bar = is_live.then(|| {
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
            bar.set_style(style("{msg} {bar:28} {pos}/{len} images  {per_sec}  {eta} left"));
            bar.set_message(what);
            bar.set_position(done);
            bar.reset_eta();
            bar
        });
        let lines = (!quiet && !is_live).then(|| Arc::new(Lines::new(total, what, done)));
        Self { bar, lines }
    }

    /// Whether there is a live line.
    pub fn is_live(&self) -> bool {
        self.bar.is_some()
    }

    /// So many more images are done.
    pub fn add(&self, images: u64) {
        if let Some(bar) = &self.bar {
            bar.inc(images);
        }
        if let Some(line) = self
            .lines
            .as_ref()
            .and_then(|lines| lines.add(images, lines.start.elapsed()))
        {
            tell!("{line}");
        }
    }

    /// Tells something else.
    pub fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text::lines(text)),
            None if self.lines.is_some() => tell!("{text}"),
            None => {}
        }
    }

    /// Leaves the terminal clean.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Lines {
    fn new(total: u64, what: &'static str, done: u64) -> Self {
        Self {
            what,
            total,
            start: Instant::now(),
            from: done,
            done: AtomicU64::new(done),
            told: AtomicU64::new(0),
        }
    }

    /// Counts images; gives a line when it is time for one, `elapsed` after the start. Several workers may count at once.
    fn add(&self, images: u64, elapsed: Duration) -> Option<String> {
        let done = self.done.fetch_add(images, Ordering::Relaxed) + images;
        let now = elapsed.as_secs() / LINE_EVERY_S;
        if self.told.fetch_max(now, Ordering::Relaxed) >= now {
            return None;
        }
        let rate = (done - self.from) as f64 / elapsed.as_secs_f64();
        let left = self.total.saturating_sub(done) as f64 / rate;
        let (what, total) = (self.what, self.total);
        Some(format!(
            "{what}: {done} of {total} images, {rate:.0} images/s, {left:.0} s left"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_told_every_ten_seconds_and_no_oftener() {
        let lines = Lines::new(1000, "pack", 200);
        let at = |seconds: f64| lines.add(10, Duration::from_secs_f64(seconds));
        assert_eq!(at(0.1), None);
        assert_eq!(at(9.9), None);
        assert_eq!(
            at(10.0).as_deref(),
            Some("pack: 230 of 1000 images, 3 images/s, 257 s left")
        );
        assert_eq!(at(10.1), None);
        assert_eq!(at(19.9), None);
        assert!(at(45.0).is_some(), "also after a long pause, once");
        assert_eq!(at(46.0), None);
        assert!(at(50.0).is_some());
    }
}
