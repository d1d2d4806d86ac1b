//! What a run tells of itself: the events of `metrics.jsonl`, typed.

use std::path::PathBuf;

/// What an evaluation found; errors are fractions of the images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluated {
    /// Images that counted.
    pub images: u64,
    /// Images that could not be decoded.
    pub refused: u64,
    /// −ln of the averaged probability of the label, mean over images, in nats.
    pub loss: f64,
    /// Share whose first guess was wrong.
    pub top1_error: f64,
    /// Share whose class was not among the first five guesses.
    pub top5_error: f64,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Report {
    /// An update was done.
    Step {
        /// Updates so far.
        step: u64,
        /// From 0.
        epoch: u32,
        /// Batch in the epoch, from 0.
        batch: u32,
        /// Mean over the present rows.
        loss: f64,
        /// Share of the present rows whose first guess was wrong, in training mode.
        top1_error: f64,
        /// The learning rate.
        lr: f32,
        /// Present rows.
        images: u32,
        /// Rolling hash of the training stream.
        stream: u64,
    },
    /// A batch of an evaluation was done.
    EvalProgress {
        /// Batches done.
        done: u32,
        /// Batches of the evaluation.
        of: u32,
    },
    /// An evaluation was done.
    Eval {
        /// Updates so far.
        step: u64,
        /// The finished epoch, from 0.
        epoch: u32,
        /// Errors and loss.
        result: Evaluated,
        /// Views of each image.
        crops: u32,
        /// Whether no earlier one was as good.
        is_best: bool,
    },
    /// The plateau schedule lowered the learning rate.
    Plateau {
        /// Updates so far.
        step: u64,
        /// What the learning rate is multiplied by from now on.
        factor: f64,
    },
    /// A sample could not be decoded.
    Skip {
        /// The update that it would have been part of, or the last one before an evaluation.
        step: u64,
        /// `CLASS/name`.
        sample: String,
        /// Why.
        reason: String,
    },
    /// A checkpoint is about to be made of the state after all that was reported before: see [`Reports`](crate::stages::compute::Reports).
    Saving {
        /// Updates so far.
        step: u64,
    },
    /// A checkpoint is on the disk.
    Saved {
        /// Updates so far.
        step: u64,
        /// The file.
        path: PathBuf,
        /// Whether `best` points at it.
        is_best: bool,
    },
}
