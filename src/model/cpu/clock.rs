//! The clock of the passes: if wanted, they read it after each piece of their work.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::model::{Direction, Lap};

/// The laps since they were last taken.
#[derive(Debug, Default)]
pub(super) struct Timings(Mutex<Laps>);

impl Timings {
    /// All laps, in the order of the work.
    pub(super) fn into_laps(self) -> Vec<Lap> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner).done
    }
}

#[derive(Debug, Default)]
struct Laps {
    /// In the order of the work. Equal pieces are one lap.
    done: Vec<Lap>,
    /// The threads' own times in the current parallel section.
    beside: Vec<Lap>,
}

impl Laps {
    /// `passed` is the elapsed time of the parallel section.
    fn share(&mut self, passed: Duration) {
        let spent: Duration = self.beside.iter().map(|lap| lap.time).sum();
        for mut lap in std::mem::take(&mut self.beside) {
            lap.time = passed.mul_f64(lap.time.as_secs_f64() / spent.as_secs_f64().max(f64::MIN_POSITIVE));
            add(&mut self.done, lap);
        }
    }
}

fn add(laps: &mut Vec<Lap>, new: Lap) {
    match laps
        .iter_mut()
        .find(|lap| lap.direction == new.direction && lap.layers == new.layers)
    {
        Some(lap) => lap.time += new.time,
        None => laps.push(new),
    }
}

/// The clock of a pass, or of one thread in a parallel section of a pass.
pub(super) struct Clock<'a> {
    /// `None` if times are not wanted: then a lap only tests this.
    running: Option<(&'a Timings, Instant)>,
    /// Whether this is the clock of one thread in a parallel section.
    beside: bool,
}

impl<'a> Clock<'a> {
    /// The clock of a pass.
    pub(super) fn start(timings: Option<&'a Timings>) -> Self {
        Self {
            running: timings.map(|timings| (timings, Instant::now())),
            beside: false,
        }
    }

    /// The clock of one thread in a parallel section, which [`share`](Self::share) ends.
    pub(super) fn beside(timings: Option<&'a Timings>) -> Self {
        Self {
            beside: true,
            ..Self::start(timings)
        }
    }

    /// Ends a lap: the time since the previous one was spent on this.
    pub(super) fn lap(&mut self, layers: Range<usize>, direction: Direction) {
        let beside = self.beside;
        self.stop(|laps, time| {
            let laps = if beside { &mut laps.beside } else { &mut laps.done };
            add(
                laps,
                Lap {
                    layers,
                    direction,
                    algorithm: None,
                    time,
                },
            );
        });
    }

    /// Ends a parallel section: in the time since the previous lap, threads with their own clocks worked in parallel.
    pub(super) fn share(&mut self) {
        self.stop(Laps::share);
    }

    fn stop(&mut self, note: impl FnOnce(&mut Laps, Duration)) {
        if let Some((Timings(laps), since)) = &mut self.running {
            let now = Instant::now();
            note(&mut laps.lock().unwrap_or_else(PoisonError::into_inner), now - *since);
            *since = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_side_by_side_share_the_time_that_went_by() {
        let lap = |layer: usize, direction, milliseconds| Lap {
            layers: layer..layer + 1,
            direction,
            algorithm: None,
            time: Duration::from_millis(milliseconds),
        };
        // Two threads were busy for 60 ms of their 80, half of that with each piece.
        let mut laps = Laps {
            done: vec![lap(1, Direction::Forward, 5)],
            beside: vec![lap(0, Direction::Forward, 30), lap(1, Direction::Forward, 30)],
        };
        laps.share(Duration::from_millis(40));
        let done = [lap(1, Direction::Forward, 25), lap(0, Direction::Forward, 20)];
        assert_eq!((laps.done, laps.beside), (done.to_vec(), Vec::new()));
    }

    #[test]
    fn work_that_took_no_time_is_no_division_by_zero() {
        let mut laps = Laps::default();
        laps.beside.push(Lap {
            layers: 0..1,
            direction: Direction::Forward,
            algorithm: None,
            time: Duration::ZERO,
        });
        laps.share(Duration::from_millis(1));
        assert_eq!(laps.done[0].time, Duration::ZERO);
    }
}
