//! Progress of a pass over images: a live line on a terminal, an occasional plain line elsewhere, nothing with `--quiet`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::eta::duration;
use super::live::{Live, bar, part, within};
use super::terminal::tell;

/// Milliseconds between two lines without a terminal.
const LINE_EVERY_MS: u64 = 10_000;

/// Milliseconds between two redraws of the live line.
const REDRAW_EVERY_MS: u64 = 100;

/// The progress of a pass. Clones share the same pass.
#[derive(Clone)]
pub struct ImagesProgress {
    /// The live line, on a terminal.
    live: Option<Live>,
    /// `None` if nothing is to be printed.
    pass: Option<Arc<Pass>>,
}

/// A pass over images.
struct Pass {
    what: &'static str,
    total: u64,
    start: Instant,
    /// Images done before the pass began.
    from: u64,
    done: AtomicU64,
    every_ms: u64,
    /// The number of `every_ms` periods that had passed at the last line.
    told: AtomicU64,
}

impl ImagesProgress {
    /// Progress of a pass over `total` images, called `what`. `done` of these are already done.
    pub fn new(total: u64, what: &'static str, done: u64, quiet: bool) -> Self {
        if quiet {
            return Self { live: None, pass: None };
        }
        let live = Live::start();
        let every_ms = if live.is_some() { REDRAW_EVERY_MS } else { LINE_EVERY_MS };
        let pass = Some(Arc::new(Pass::new(total, what, done, every_ms)));
        Self { live, pass }
    }

    /// Whether there is a live line.
    pub fn is_live(&self) -> bool {
        self.live.is_some()
    }

    /// Adds finished images.
    pub fn add(&self, images: u64) {
        let Some(pass) = &self.pass else { return };
        let Some(done) = pass.add(images, pass.start.elapsed()) else {
            return;
        };
        let (rate, left) = pass.rate(done, pass.start.elapsed());
        let parts = [
            part(0, pass.what),
            part(3, bar(done, pass.total)),
            part(1, format!("{done}/{} images", pass.total)),
            part(4, format!("{rate:.0} images/s")),
            part(2, format!("{} left", duration(left))),
        ];
        match &self.live {
            Some(live) => live.redraw(&parts),
            None => tell!("{}: {}", pass.what, within(usize::MAX, &parts[2..])),
        }
    }

    /// Prints another message.
    pub fn say(&self, text: &str) {
        match &self.live {
            Some(live) => live.print(text),
            None if self.pass.is_some() => tell!("{text}"),
            None => {}
        }
    }

    /// Removes the live line.
    pub fn end(&self) {
        if let Some(live) = &self.live {
            live.end();
        }
    }
}

impl Pass {
    fn new(total: u64, what: &'static str, done: u64, every_ms: u64) -> Self {
        Self {
            what,
            total,
            start: Instant::now(),
            from: done,
            done: AtomicU64::new(done),
            every_ms,
            told: AtomicU64::new(0),
        }
    }

    /// Counts images. When a line is due, `elapsed` after the start, returns how many are done. Several workers may count
    /// at once.
    fn add(&self, images: u64, elapsed: Duration) -> Option<u64> {
        let done = self.done.fetch_add(images, Ordering::Relaxed) + images;
        let now = elapsed.as_millis() as u64 / self.every_ms;
        (self.told.fetch_max(now, Ordering::Relaxed) < now).then_some(done)
    }

    /// Images per second, and seconds left.
    fn rate(&self, done: u64, elapsed: Duration) -> (f64, f64) {
        let rate = (done - self.from) as f64 / elapsed.as_secs_f64().max(1e-9);
        (rate, self.total.saturating_sub(done) as f64 / rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_every_ten_seconds_and_no_oftener() {
        let pass = Pass::new(1000, "pack", 200, LINE_EVERY_MS);
        let at = |seconds: f64| pass.add(10, Duration::from_secs_f64(seconds));
        assert_eq!(at(0.1), None);
        assert_eq!(at(9.9), None);
        assert_eq!(at(10.0), Some(230));
        assert_eq!(pass.rate(230, Duration::from_secs(10)), (3.0, 770.0 / 3.0));
        assert_eq!(at(10.1), None);
        assert_eq!(at(19.9), None);
        assert!(at(45.0).is_some(), "also after a long pause, once");
        assert_eq!(at(46.0), None);
        assert!(at(50.0).is_some());
    }
}
