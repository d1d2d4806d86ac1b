//! `[solver]`: how the network learns.

use std::collections::BTreeMap;

use super::errors::Errors;
use super::node::{Node, Tree};
use super::value::{Value, join, mismatch, table};

table! {
    /// `[solver]`: SGD with momentum and weight decay, by the paper's update rule (section 5).
    Solver {
        /// ε: the learning rate that the schedule scales.
        lr: f32 = 0.01,
        /// μ.
        momentum: f32 = 0.9,
        /// λ, inside the update and so scaled by the learning rate.
        weight_decay: f32 = 0.0005,
        /// Whether biases are decayed too (the 2012 code does not; the text is silent).
        decay_biases: bool = false,
        /// How the learning rate changes.
        schedule: Schedule = Schedule::Constant,
        /// Epochs over which the rate rises linearly from zero.
        warmup_epochs: f32 = 0.0,
        /// What differs, by layer name.
        layers: BTreeMap<String, LayerRates> = BTreeMap::new(),
    }
}

table! {
    /// `[solver.layers.NAME]`: what differs for one layer.
    LayerRates {
        /// Multiplies the learning rate of the weights.
        weight_lr: f32 = 1.0,
        /// Multiplies the learning rate of the biases (2012 code: 2).
        bias_lr: f32 = 1.0,
        /// Multiplies the weight decay.
        weight_decay: f32 = 1.0,
        /// From this epoch on (counted from 0) the layer does not learn.
        freeze_from_epoch: Option<u32> = None,
    }
}

impl Solver {
    /// Rules that hold between keys.
    pub(super) fn check(&self, complain: &mut dyn FnMut(&str, String)) {
        if self.lr < 0.0 {
            complain("solver.lr", "the learning rate must not be negative".to_string());
        }
        if !(0.0..1.0).contains(&self.momentum) {
            complain("solver.momentum", "at least 0 and below 1".to_string());
        }
        if self.weight_decay < 0.0 {
            complain("solver.weight_decay", "must not be negative".to_string());
        }
        if self.warmup_epochs < 0.0 {
            complain("solver.warmup_epochs", "must not be negative".to_string());
        }
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
