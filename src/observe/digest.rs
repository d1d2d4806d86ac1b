//! A summary of a run's events for its end, gathered in one pass over the file. Memory stays small for a run of any length.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::error::MetricsError;
use super::lines::{Damaged, Lines};

/// Points of a curve. A curve has at most twice as many, because a page must open at once.
const POINTS: usize = 600;

/// How many of the newest evaluations and skipped images are kept one by one.
const MAX_KEPT: usize = 1000;

/// An event, with the fields that the summary needs. Numbers must be numbers: the file is not trusted.
#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Event {
    Step {
        step: u64,
        epoch: u64,
        loss: f64,
        lr: f64,
        train_top1_error: Option<f64>,
        images_per_s: f64,
        elapsed_s: f64,
    },
    Eval(EvalEvent),
    Skip {
        sample: String,
        reason: String,
    },
    Verdict(VerdictEvent),
    #[serde(other)]
    Other,
}

/// An evaluation.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct EvalEvent {
    /// Updates so far.
    pub step: u64,
    /// The finished epoch, from 0.
    pub epoch: u32,
    /// In nats.
    pub loss: f64,
    /// A fraction of the images.
    pub top1_error: f64,
    /// A fraction of the images.
    pub top5_error: f64,
    /// Images that were counted.
    pub images: u64,
    /// Views of each image.
    pub crops: u32,
}

/// The bottleneck of the run.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct VerdictEvent {
    /// In words.
    pub text: String,
    /// How each stage spent its time.
    pub stages: BTreeMap<String, StageShare>,
}

/// How a stage spent its time, as fractions.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct StageShare {
    /// The average number of workers.
    pub workers: f64,
    /// Working.
    pub busy: f64,
    /// Waiting for input.
    pub input_wait: f64,
    /// Waiting for room in the output.
    pub room_wait: f64,
}

/// A curve over steps. Its points are means over neighbours, and more and more of these as it grows.
#[derive(Clone, Debug)]
pub struct Curve {
    points: Vec<(f64, f64)>,
    /// Values per point.
    size: u64,
    sum: (f64, f64),
    count: u64,
}

/// A summary of a run.
#[derive(Debug, Default)]
pub struct Digest {
    /// Training loss.
    pub loss: Curve,
    /// Learning rate.
    pub lr: Curve,
    /// Fraction of the training rows whose first guess was wrong.
    pub train_error: Curve,
    /// Images per second.
    pub rate: Curve,
    /// Number and loss of the last step.
    pub last_step: Option<(u64, f64)>,
    /// The newest evaluations, in order.
    pub evals: Newest<EvalEvent>,
    /// The evaluation with the smallest top-1 error, and the earliest of several.
    pub best: Option<EvalEvent>,
    /// Skipped images: id and reason.
    pub skipped: Newest<(String, String)>,
    /// Steps per epoch, once the second epoch has begun.
    pub steps_per_epoch: Option<f64>,
    /// The epoch of the last step, from 0.
    epoch: Option<u64>,
    /// The last verdict.
    pub verdict: Option<VerdictEvent>,
    /// Seconds of training.
    pub elapsed_s: Option<f64>,
    /// Lines without a valid event.
    pub damaged: Damaged,
}

/// The newest of many items.
#[derive(Debug)]
pub struct Newest<T> {
    /// The kept items, the oldest first.
    pub kept: std::collections::VecDeque<T>,
    /// The number of all items.
    pub count: u64,
}

impl Digest {
    /// Reads the events in `path`. A missing file counts as empty.
    pub fn read(path: &Path) -> Result<Self, MetricsError> {
        let mut digest = Self::default();
        let mut lines = Lines::open(path)?;
        while let Some((event, _)) = lines.next_event()? {
            digest.take(&event);
        }
        digest.damaged = lines.damaged();
        Ok(digest)
    }

    /// Adds an event. An event of another shape is ignored.
    pub fn take(&mut self, event: &Value) {
        if let Ok(event) = Event::deserialize(event) {
            self.add(event);
        }
    }

    fn add(&mut self, event: Event) {
        match event {
            Event::Step {
                step,
                epoch,
                loss,
                lr,
                train_top1_error,
                images_per_s,
                elapsed_s,
            } => {
                let at = step as f64;
                if self.epoch.is_some_and(|before| before < epoch) && self.steps_per_epoch.is_none() {
                    self.steps_per_epoch = Some((step.saturating_sub(1)) as f64 / epoch as f64);
                }
                self.epoch = Some(epoch);
                self.loss.push(at, loss);
                self.lr.push(at, lr);
                self.rate.push(at, images_per_s);
                if let Some(error) = train_top1_error {
                    self.train_error.push(at, error);
                }
                self.last_step = Some((step, loss));
                self.elapsed_s = Some(elapsed_s);
            }
            Event::Eval(eval) => {
                if self.best.as_ref().is_none_or(|best| eval.top1_error < best.top1_error) {
                    self.best = Some(eval.clone());
                }
                self.evals.push(eval);
            }
            Event::Skip { sample, reason } => self.skipped.push((sample, reason)),
            Event::Verdict(verdict) => self.verdict = Some(verdict),
            Event::Other => {}
        }
    }
}

impl Default for Curve {
    fn default() -> Self {
        Self {
            points: Vec::new(),
            size: 1,
            sum: (0.0, 0.0),
            count: 0,
        }
    }
}

impl Curve {
    fn push(&mut self, x: f64, y: f64) {
        self.sum = (self.sum.0 + x, self.sum.1 + y);
        self.count += 1;
        if self.count < self.size {
            return;
        }
        self.points.push(self.mean());
        (self.sum, self.count) = ((0.0, 0.0), 0);
        if self.points.len() == 2 * POINTS {
            let pairs = self.points.chunks_exact(2);
            self.points = pairs
                .map(|pair| (f64::midpoint(pair[0].0, pair[1].0), f64::midpoint(pair[0].1, pair[1].1)))
                .collect();
            self.size *= 2;
        }
    }

    fn mean(&self) -> (f64, f64) {
        (self.sum.0 / self.count as f64, self.sum.1 / self.count as f64)
    }

    /// The points, including an unfinished one at the end.
    pub fn points(&self) -> Vec<(f64, f64)> {
        let mut points = self.points.clone();
        points.extend((self.count > 0).then(|| self.mean()));
        points
    }

    /// The median of the points.
    pub fn median(&self) -> Option<f64> {
        let mut values: Vec<f64> = self.points().into_iter().map(|(_, y)| y).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied()
    }
}

impl<T> Default for Newest<T> {
    fn default() -> Self {
        Self {
            kept: std::collections::VecDeque::new(),
            count: 0,
        }
    }
}

impl<T> Newest<T> {
    fn push(&mut self, item: T) {
        self.count += 1;
        if self.kept.len() == MAX_KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(item);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_curve_stays_small_and_keeps_its_mean() {
        for count in [0u32, 1, 1199, 1200, 1201, 100_000] {
            let mut curve = Curve::default();
            (1..=count).for_each(|i| curve.push(f64::from(i), f64::from(i % 10)));
            let points = curve.points();
            assert!(points.len() <= 2 * POINTS, "{count}");
            assert!(points.windows(2).all(|pair| pair[0].0 < pair[1].0));
            if count > 1 {
                let mean = points.iter().map(|p| p.1).sum::<f64>() / points.len() as f64;
                assert!((mean - 4.5).abs() < 0.1, "{count}: {mean}");
            }
        }
    }

    #[test]
    fn numbers_are_numbers_and_the_rest_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let lines = [
            r#"{"event":"step","step":1,"epoch":0,"loss":2.5,"lr":0.1,"train_top1_error":null,"images_per_s":7.0,"elapsed_s":0.5}"#,
            r#"{"event":"step","step":"<script>","loss":2.5,"lr":0.1,"images_per_s":7.0,"elapsed_s":0.5}"#,
            r#"{"event":"eval","step":1,"epoch":0,"loss":2.0,"top1_error":0.5,"top5_error":0.1,"images":8,"crops":1}"#,
            r#"{"event":"eval","step":2,"epoch":1,"loss":2.0,"top1_error":0.5,"top5_error":0.1,"images":8,"crops":1}"#,
            r#"{"event":"eval","step":3,"epoch":2,"loss":2.0,"top1_error":0.5,"top5_error":0.1,"images":8,"crops":"<b>"}"#,
            r#"{"event":"skip","sample":"a/b","reason":"c"}"#,
            r#"{"event":"something","of":"a later version"}"#,
            "torn",
        ];
        fs::write(&path, lines.join("\n")).unwrap();
        let digest = Digest::read(&path).unwrap();
        assert_eq!(digest.last_step, Some((1, 2.5)));
        assert_eq!(digest.loss.points(), [(1.0, 2.5)]);
        assert_eq!((digest.evals.count, digest.best.map(|best| best.step)), (2, Some(1)));
        assert_eq!(digest.skipped.kept, [("a/b".to_owned(), "c".to_owned())]);
        assert_eq!(digest.damaged.text().as_deref(), Some("line 8 is damaged"));
        assert_eq!(Digest::read(&folder.path().join("none")).unwrap().evals.count, 0);
    }
}
