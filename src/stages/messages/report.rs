//! What a run reports: the events of `metrics.jsonl`, typed.

use std::path::PathBuf;

/// The result of an evaluation. Errors are fractions of the images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluated {
    /// Images that counted.
    pub images: u64,
    /// Images that could not be decoded.
    pub refused: u64,
    /// −ln of the averaged probability of the label, averaged over images, in nats.
    pub loss: f64,
    /// Share of images whose first guess was wrong.
    pub top1_error: f64,
    /// Share of images whose class was not among the first five guesses.
    pub top5_error: f64,
}

/// An event of a run.
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
    /// The plateau schedule has lowered the learning rate.
    Plateau {
        /// Updates so far.
        step: u64,
        /// The learning rate is multiplied by this from now on.
        factor: f64,
    },
    /// A sample could not be decoded.
    Skip {
        /// The update that the sample would have been part of, or the last one before the evaluation.
        step: u64,
        /// `CLASS/name`.
        sample: String,
        /// Why.
        reason: String,
    },
    /// A checkpoint of the state after all earlier reports is about to be made: see
    /// [`Reports`](crate::stages::compute::Reports).
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
        /// Whether `best` points to it.
        is_best: bool,
    },
}
