//! `[solver]`: how the network learns.

use std::collections::BTreeMap;

/// `[solver]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Solver {
    /// ε: the learning rate that the schedule scales.
    pub lr: f32,
    /// Paper: 0.9.
    pub momentum: f32,
    /// Paper: 0.0005.
    pub weight_decay: f32,
    /// Whether biases are decayed too (the 2012 code does not).
    pub decay_biases: bool,
    /// How the learning rate changes.
    pub schedule: Schedule,
    /// Epochs over which the rate rises linearly from zero.
    pub warmup_epochs: f32,
    /// Multipliers by layer name.
    pub layers: BTreeMap<String, LayerRates>,
}

/// `[solver.layers.NAME]`: what differs for one layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerRates {
    /// Multiplies the learning rate of the weights.
    pub weight_lr: f32,
    /// Multiplies the learning rate of the biases (2012 code: 2).
    pub bias_lr: f32,
    /// Multiplies the weight decay.
    pub weight_decay: f32,
    /// From this epoch on (counted from 0) the layer does not learn.
    pub freeze_from_epoch: Option<u32>,
}

/// How the learning rate changes; `factor`s multiply.
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// Never.
    Constant,
    /// By `factor` every so many epochs.
    Step {
        /// Epochs between two changes.
        every_epochs: u32,
        /// What the rate is multiplied by.
        factor: f32,
    },
    /// By `factor` at each of these epochs.
    Multistep {
        /// Epochs (from 0) at whose start the rate changes.
        epochs: Vec<u32>,
        /// What the rate is multiplied by.
        factor: f32,
    },
    /// (1 − t)^power, where t is the done share of all steps.
    Polynomial {
        /// The exponent.
        power: f32,
    },
    /// factor^(epoch), continuously by step.
    Exponential {
        /// What one epoch multiplies the rate by.
        factor: f32,
    },
    /// Half a cosine from 1 to 0 over all steps.
    Cosine,
    /// By `factor` when the validation error has not fallen for `patience` evaluations (as the paper did by hand).
    Plateau {
        /// What the rate is multiplied by (paper: 0.1).
        factor: f32,
        /// Evaluations without improvement before the rate falls.
        patience: u32,
        /// How much the error must fall to count, as a fraction of images.
        threshold: f32,
        /// How often at most (paper: 3).
        max_drops: u32,
    },
}
