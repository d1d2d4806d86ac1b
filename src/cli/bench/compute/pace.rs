//! Limits how often steps are reported. A step takes milliseconds or minutes.

use std::time::{Duration, Instant};

/// The least time between two lines.
const APART: Duration = Duration::from_secs(1);

/// The time of the last line.
pub(super) struct Pace(Option<Instant>);

impl Pace {
    pub(super) fn new() -> Self {
        Self(None)
    }

    /// Whether a line is due. The caller then prints it.
    pub(super) fn is_time(&mut self, now: Instant) -> bool {
        let is_time = self.0.is_none_or(|last| now - last >= APART);
        if is_time {
            self.0 = Some(now);
        }
        is_time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_told_at_once_and_the_others_a_second_apart() {
        let (start, mut pace) = (Instant::now(), Pace::new());
        let times = [0, 1, 999, 1000, 1999, 2000, 9000, 9001];
        let told = times.map(|ms| pace.is_time(start + Duration::from_millis(ms)));
        assert_eq!(told, [true, false, false, true, false, true, true, false]);
    }
}
