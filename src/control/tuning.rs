//! Decides from readings when a stage gets one worker more or fewer; `tuner.rs` acts.
//!
//! It is slow on purpose: it changes one worker at a time, each decision uses only readings taken after the previous one, and a
//! worker that brought nothing is removed again. Only the speed of a run depends on it.

use std::collections::VecDeque;

use crate::flow::meter::Change;
use crate::flow::verdict::Share;
use crate::flow::{Reading, Verdict};
use crate::text;

/// Readings per window: two ticks.
const READINGS: usize = 3;

/// A device that waits less than this is fed well enough to do without the least busy worker.
const FED: f64 = 0.02;

/// A device that waits more than this is starved.
const STARVES: f64 = 0.1;

/// A stage that is busy less than this is not what the device waits for.
const BUSY: f64 = 0.75;

/// How busy a stage may be with one worker fewer: well below [`BUSY`], or it would get the worker back.
const EASY: f64 = 0.6;

/// The factor of speed that another worker must bring.
const GAIN: f64 = 1.02;

/// For this many ticks a stage whose last worker brought nothing gets no other.
const BARRED_FOR: u32 = 30;

/// A worker that was added on trial.
struct Trial {
    stage: &'static str,
    images_per_s: f64,
}

/// Readings and decisions so far.
#[derive(Default)]
pub struct Tuning {
    window: VecDeque<Reading>,
    trial: Option<Trial>,
    barred: Option<(&'static str, u32)>,
}

impl Tuning {
    /// Takes one more reading, and returns what to change now.
    pub fn look(&mut self, reading: Reading) -> Option<Change> {
        if let Some((_, ticks)) = &mut self.barred {
            *ticks -= 1;
            self.barred.take_if(|(_, ticks)| *ticks == 0);
        }
        self.window.push_back(reading);
        if self.window.len() < READINGS {
            return None;
        }
        let (before, after) = (self.window.pop_front()?, self.window.back()?);
        let verdict = Verdict::new(&before, after)?;
        // A flow that ends, or waits for its first image, says nothing about its workers.
        if verdict.images_per_s == 0.0 {
            return None;
        }
        let change = match self.trial.take() {
            Some(trial) if verdict.images_per_s < GAIN * trial.images_per_s => self.take_back(&trial, &verdict),
            _ => self.raise(&verdict).or_else(|| lower(&verdict)),
        };
        if change.is_some() {
            self.window.clear();
        }
        change
    }

    fn raise(&mut self, verdict: &Verdict) -> Option<Change> {
        let share = verdict.share(verdict.stage)?;
        let is_barred = self.barred.is_some_and(|(stage, _)| stage == share.name);
        // Without a device, only the input counts.
        let starves = verdict.device_wait.is_none_or(|wait| wait > STARVES);
        if !starves
            || share.busy < BUSY
            || !share.has_gate
            || share.open >= share.max
            || is_barred
            || verdict.is_processor_full()
        {
            return None;
        }
        self.trial = Some(Trial {
            stage: share.name,
            images_per_s: verdict.images_per_s,
        });
        let seconds = seconds(verdict);
        let reason = match verdict.device_wait {
            Some(wait) => format!(
                "the device waited {:.0} % of the last {seconds} for input",
                100.0 * wait
            ),
            None => format!("the stage was busy {:.0} % of the last {seconds}", 100.0 * share.busy),
        };
        Some(change(share, share.open + 1, reason))
    }

    fn take_back(&mut self, trial: &Trial, verdict: &Verdict) -> Option<Change> {
        let share = verdict.share(trial.stage).filter(|share| share.open > 1)?;
        self.barred = Some((trial.stage, BARRED_FOR));
        let reason = format!(
            "the last added worker did not help: {:.0} images/s before, {:.0} with it",
            trial.images_per_s, verdict.images_per_s
        );
        Some(change(share, share.open - 1, reason))
    }
}

/// One worker fewer, if the device is fed and the other workers suffice.
fn lower(verdict: &Verdict) -> Option<Change> {
    if verdict.device_wait.is_none_or(|wait| wait > FED) {
        return None;
    }
    let busy_without = |share: &Share| share.busy * share.open as f64 / (share.open as f64 - 1.0);
    let share = verdict
        .stages
        .iter()
        .filter(|share| share.has_gate && share.open > 1)
        .min_by(|a, b| busy_without(a).total_cmp(&busy_without(b)))?;
    let busy = busy_without(share);
    (busy < EASY).then(|| {
        let reason = format!(
            "the device gets enough input, and {} would be busy {:.0} % of the time",
            text::counted(share.open as u64 - 1, "worker"),
            100.0 * busy
        );
        change(share, share.open - 1, reason)
    })
}

fn change(share: &Share, to: usize, reason: String) -> Change {
    Change {
        stage: share.name,
        from: share.open,
        to,
        reason,
    }
}

fn seconds(verdict: &Verdict) -> String {
    let decimals = usize::from(verdict.seconds < 1.0);
    format!("{:.decimals$} s", verdict.seconds)
}
