//! Errors on the validation set: softmax outputs averaged over the views of each image (paper, section 4.1).

use super::ComputeError;
use crate::stages::messages::{Evaluated, RowFact};

/// An evaluation in progress. Rows arrive in sample order, with all views of a sample one after another.
#[derive(Debug)]
pub struct Evaluation {
    classes: usize,
    views: u32,
    /// Sum of the softmax outputs of the current sample's views.
    sum: Vec<f64>,
    seen: u32,
    /// Whether all outputs so far were finite: comparisons with NaN would count every guess as right.
    is_finite: bool,
    result: Tally,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    images: u64,
    refused: u64,
    wrong1: u64,
    wrong5: u64,
    loss: f64,
}

impl Evaluation {
    /// Nothing seen yet.
    pub fn new(classes: usize, views: u32) -> Self {
        Self {
            classes,
            views,
            sum: vec![0.0; classes],
            seen: 0,
            is_finite: true,
            result: Tally::default(),
        }
    }

    /// Adds the softmax outputs of a batch's rows: `[rows][classes]`.
    pub fn add(&mut self, facts: &[RowFact], probabilities: &[f32]) {
        for (fact, row) in facts.iter().zip(probabilities.chunks_exact(self.classes)) {
            if self.seen == 0 {
                self.sum.fill(0.0);
            }
            self.is_finite &= fact.refused.is_some() || row.iter().all(|p| p.is_finite());
            self.sum.iter_mut().zip(row).for_each(|(sum, &p)| *sum += f64::from(p));
            self.seen += 1;
            if self.seen == self.views {
                self.seen = 0;
                if fact.refused.is_some() {
                    self.result.refused += 1;
                } else {
                    self.count(fact.label as usize);
                }
            }
        }
    }

    fn count(&mut self, label: usize) {
        let own = self.sum[label];
        // Of equal probabilities, the smaller label is guessed first.
        let before = |at: &(usize, &f64)| *at.1 > own || (*at.1 == own && at.0 < label);
        let rank = self.sum.iter().enumerate().filter(before).count();
        self.result.images += 1;
        self.result.wrong1 += u64::from(rank >= 1);
        self.result.wrong5 += u64::from(rank >= 5);
        // A probability below the smallest float counts as the smallest float: an infinite loss would hide all others.
        self.result.loss -= (own / f64::from(self.views)).max(f64::from(f32::MIN_POSITIVE)).ln();
    }

    /// The network's errors after `step` updates.
    pub fn finish(&self, step: u64) -> Result<Evaluated, ComputeError> {
        let Tally {
            images,
            refused,
            wrong1,
            wrong5,
            loss,
        } = self.result;
        if !self.is_finite {
            return Err(ComputeError::OutputNotFinite { step });
        }
        if images == 0 {
            return Err(ComputeError::NothingToEvaluate { refused });
        }
        let share = |count: f64| count / images as f64;
        Ok(Evaluated {
            images,
            refused,
            loss: share(loss),
            top1_error: share(wrong1 as f64),
            top5_error: share(wrong5 as f64),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(label: u32, refused: bool) -> RowFact {
        RowFact {
            label,
            refused: refused.then(|| "damaged".into()),
            ..RowFact::default()
        }
    }

    #[test]
    fn views_are_averaged_and_each_image_counts_once() {
        let mut evaluation = Evaluation::new(3, 2);
        // Two views of one image, split over two batches: 0.6 + 0.1 < 0.3 + 0.7, so the average says class 1.
        evaluation.add(&[fact(1, false)], &[0.6, 0.3, 0.1]);
        evaluation.add(
            &[fact(1, false), fact(2, true), fact(2, true)],
            &[0.1, 0.7, 0.2, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0],
        );
        let result = evaluation.finish(1).unwrap();
        assert_eq!((result.images, result.refused), (1, 1));
        assert_eq!((result.top1_error, result.top5_error), (0.0, 0.0));
        assert!((result.loss + 0.5f64.ln()).abs() < 1e-6, "{}", result.loss);
    }

    #[test]
    fn equal_probabilities_are_guessed_in_the_order_of_the_labels() {
        let mut evaluation = Evaluation::new(8, 1);
        let flat = [0.125f32; 8];
        for label in 0..8 {
            evaluation.add(&[fact(label, false)], &flat);
        }
        let result = evaluation.finish(1).unwrap();
        assert_eq!((result.top1_error, result.top5_error), (7.0 / 8.0, 3.0 / 8.0));
    }

    #[test]
    fn outputs_that_are_no_numbers_are_no_right_guesses() {
        let mut evaluation = Evaluation::new(2, 1);
        evaluation.add(&[fact(0, false), fact(1, false)], &[0.5, 0.5, f32::NAN, f32::NAN]);
        assert!(matches!(
            evaluation.finish(7),
            Err(ComputeError::OutputNotFinite { step: 7 })
        ));
    }

    #[test]
    fn no_image_at_all_is_no_error_of_zero() {
        let mut evaluation = Evaluation::new(2, 1);
        evaluation.add(&[fact(0, true)], &[0.5, 0.5]);
        assert!(matches!(
            evaluation.finish(7),
            Err(ComputeError::NothingToEvaluate { refused: 1 })
        ));
    }
}
