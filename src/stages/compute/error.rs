//! What can go wrong while training.

/// Why a run had to end.
#[derive(Debug, thiserror::Error)]
pub enum ComputeError {
    /// The loss is NaN or infinite.
    #[error("step {step} (epoch {epoch}): the loss is {loss}: the weights have diverged at learning rate {lr}")]
    NotFinite {
        /// The step, from 1.
        step: u64,
        /// From 0.
        epoch: u32,
        /// NaN or infinite.
        loss: f64,
        /// The learning rate.
        lr: f32,
    },
    /// A weight is NaN or infinite.
    #[error(
        "step {step}: {name} contains a value that is not finite: the weights have diverged; this step is not saved"
    )]
    WeightNotFinite {
        /// The step, from 1.
        step: u64,
        /// The parameter.
        name: String,
    },
    /// The network's outputs are NaN or infinite.
    #[error("after step {step} the network's outputs are not finite: the weights have diverged")]
    OutputNotFinite {
        /// Updates done.
        step: u64,
    },
    /// Every image of the validation set was refused.
    #[error("no image of the validation set can be decoded: all {refused} were refused")]
    NothingToEvaluate {
        /// How many.
        refused: u64,
    },
    /// There are more bad samples than the user allows.
    #[error("more than {max} bad images, the limit of run.bad_images_max; repair or remove them, or raise the limit; the latest is {}: {reason}", crate::text::plain(.sample))]
    TooManyBad {
        /// How many are allowed.
        max: u32,
        /// `CLASS/name`.
        sample: String,
        /// Why it is bad.
        reason: String,
    },
    /// The interrupted run had other samples at this step.
    #[error(
        "step {step}: the samples differ from those of the interrupted run at this step: the training images have changed; \
         restore them, or start a new run"
    )]
    StreamDiffers {
        /// The step, from 1.
        step: u64,
    },
}

impl ComputeError {
    /// Whether the weights have left the numbers: the same run again would do the same.
    pub fn is_divergence(&self) -> bool {
        matches!(
            self,
            Self::NotFinite { .. } | Self::WeightNotFinite { .. } | Self::OutputNotFinite { .. }
        )
    }
}
