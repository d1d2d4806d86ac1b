//! The solver's rates for each step: the schedule's learning rate, with multipliers and freezing per layer.

pub mod plateau;
pub mod schedule;

pub use plateau::{Plateau, PlateauState};
pub use schedule::{Progress, learning_rate};

use super::{ParameterSpec, Spec};
use crate::config::errors::short;
use crate::config::solver::{LayerRates, Solver};
use crate::ops::sgd::Rate;
use crate::text;

/// The rates of all parameters, recomputed for each step.
#[derive(Clone, Debug)]
pub struct Rates {
    /// For each parameter: the multipliers of its layer, and whether it is a bias.
    multipliers: Vec<(LayerRates, bool)>,
    current: Vec<Rate>,
    solver: Solver,
}

/// The rates of a layer without a table.
const PLAIN: LayerRates = LayerRates {
    weight_lr: 1.0,
    bias_lr: 1.0,
    weight_decay: 1.0,
    freeze_from_epoch: None,
};

impl Rates {
    /// The rates of the parameters of `spec` under `solver`. A table for a layer without parameters is an error.
    pub fn new(solver: &Solver, spec: &Spec) -> Result<Self, UnknownLayer> {
        let parameters: Vec<ParameterSpec<'_>> = spec.parameter_specs().collect();
        let known = |name: &String| parameters.iter().any(|parameter| parameter.layer.name == *name);
        if let Some(name) = solver.layers.keys().find(|name| !known(name)) {
            let mut layers: Vec<_> = parameters.iter().map(|of| of.layer.name.as_str()).collect();
            layers.dedup();
            return Err(UnknownLayer {
                name: name.clone(),
                known: layers.join(", "),
            });
        }
        let multipliers: Vec<_> = parameters
            .iter()
            .map(|of| (solver.layers.get(&of.layer.name).cloned().unwrap_or(PLAIN), of.is_bias))
            .collect();
        let rate = Rate {
            lr: 0.0,
            momentum: solver.momentum,
            weight_decay: 0.0,
            frozen: false,
        };
        Ok(Self {
            current: vec![rate; multipliers.len()],
            multipliers,
            solver: solver.clone(),
        })
    }

    /// The rates of the step at `progress`. `plateau` is the plateau schedule's current factor.
    pub fn at(&mut self, progress: Progress, plateau: f64) -> &[Rate] {
        let lr = learning_rate(&self.solver, progress, plateau);
        let epoch = progress.epoch();
        for (rate, (layer, is_bias)) in self.current.iter_mut().zip(&self.multipliers) {
            rate.lr = lr * if *is_bias { layer.bias_lr } else { layer.weight_lr };
            let decayed = !is_bias || self.solver.decay_biases;
            rate.weight_decay = if decayed {
                self.solver.weight_decay * layer.weight_decay
            } else {
                0.0
            };
            rate.frozen = layer.freeze_from_epoch.is_some_and(|from| epoch >= u64::from(from));
        }
        &self.current
    }
}

/// `[solver.layers.NAME]` for a layer that the model does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "[solver.layers.{shown}]: the model has no layer \"{shown}\" with parameters (it has {known})",
    shown = text::plain(&short(name))
)]
pub struct UnknownLayer {
    /// The name.
    pub name: String,
    /// The names that exist.
    pub known: String,
}
