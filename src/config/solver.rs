//! `[solver]`: how the network learns.

use std::collections::BTreeMap;

use super::errors::Errors;
use super::node::{Node, Tree};
use super::range::{MAX_EPOCHS, Range};
use super::value::{Value, join, mismatch, table};

/// The range of learning rates, weight decay and their multipliers. None is negative, and the product of any two fits an f32.
const RATE: Range = Range::between(0.0, 1e12);

table! {
    /// `[solver]`: SGD with momentum and weight decay, by the paper's update rule (section 5).
    Solver {
        /// ε: the learning rate that the schedule scales.
        lr: f32 = 0.01 => RATE,
        /// μ.
        momentum: f32 = 0.9 => Range::below(0.0, 1.0),
        /// λ, inside the update and so scaled by the learning rate.
        weight_decay: f32 = 0.0005 => RATE,
        /// Whether biases are decayed too (the 2012 code does not; the text is silent).
        decay_biases: bool = false,
        /// How the learning rate changes.
        schedule: Schedule = Schedule::Constant,
        /// Epochs over which the rate rises linearly from zero.
        warmup_epochs: f32 = 0.0 => Range::between(0.0, MAX_EPOCHS as f64),
        /// Overrides, by layer name.
        layers: BTreeMap<String, LayerRates> = BTreeMap::new(),
    }
}

table! {
    /// `[solver.layers.NAME]`: overrides for one layer.
    LayerRates {
        /// Multiplies the learning rate of the weights.
        weight_lr: f32 = 1.0 => RATE,
        /// Multiplies the learning rate of the biases (2012 code: 2).
        bias_lr: f32 = 1.0 => RATE,
        /// Multiplies the weight decay.
        weight_decay: f32 = 1.0 => RATE,
        /// The layer stops learning from this epoch on (counted from 0).
        freeze_from_epoch: Option<u32> = None => Range::whole(0, u32::MAX),
    }
}

impl Value for BTreeMap<String, LayerRates> {
    fn read(node: &Node, key: &str, errors: &mut Errors) -> Option<Self> {
        let Tree::Table(layers) = &node.value else {
            return mismatch(node, key, "a table for each layer", errors);
        };
        let read = |(name, node): (&String, &Node)| {
            LayerRates::read(node, &join(key, name), errors).map(|rates| (name.clone(), rates))
        };
        Some(layers.iter().filter_map(read).collect())
    }
    fn write(&self) -> String {
        let entries: Vec<String> = self
            .iter()
            .map(|(name, rates)| format!("{} = {}", name.write(), rates.write()))
            .collect();
        format!("{{ {} }}", entries.join(", "))
    }
}

/// How the learning rate changes. Each `factor` multiplies it.
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// Never.
    Constant,
    /// By `factor` at regular intervals.
    Step {
        /// Epochs between two changes.
        every_epochs: u32,
        /// The factor of the rate.
        factor: f32,
    },
    /// By `factor` at each of these epochs.
    Multistep {
        /// Epochs (from 0) at whose start the rate changes.
        epochs: Vec<u32>,
        /// The factor of the rate.
        factor: f32,
    },
    /// (1 − t)^power, where t is the completed share of all steps.
    Polynomial {
        /// The exponent.
        power: f32,
    },
    /// factor^(epoch), continuously by step.
    Exponential {
        /// The factor of the rate per epoch.
        factor: f32,
    },
    /// Half a cosine from 1 to 0 over all steps.
    Cosine,
    /// By `factor` when the validation error has not fallen for `patience` evaluations (as the paper did by hand).
    Plateau {
        /// The factor of the rate (paper: 0.1).
        factor: f32,
        /// Evaluations without improvement before the rate falls.
        patience: u32,
        /// How much the error must fall to count, as a fraction of images.
        threshold: f32,
        /// The most changes (paper: 3).
        max_drops: u32,
    },
}
