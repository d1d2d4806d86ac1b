//! `[model]` worked out.

use std::sync::Arc;

use super::PlanError;
use crate::config::Config;
use crate::config::model::Layer;
use crate::devices::cpu::Threads;
use crate::model::presets::{self, Overrides};
use crate::model::solver::Rates;
use crate::model::{Memory, ModelError, Network, Parameter, Spec};
use crate::ops::Shape;

/// The numbers of a network, before any of it is made.
#[derive(Clone, Debug)]
pub struct ModelPlan {
    /// The layers.
    pub layers: Vec<Layer>,
    /// Their shapes.
    pub spec: Spec,
    /// Classes of the data.
    pub classes: usize,
    /// Memory for a batch.
    pub memory: Memory,
    /// Compute threads.
    pub threads: usize,
}

impl ModelPlan {
    /// Works out `[model]` for a number of classes.
    pub fn new(config: &Config, classes: usize) -> Result<Self, PlanError> {
        let layers = layers(config)?;
        let side = config.augment.crop.get();
        let spec = Spec::new(&layers, Shape::new(3, side, side), classes)?;
        let threads = config.compute.threads.map_or_else(cores, std::num::NonZeroUsize::get);
        let memory = crate::model::Plan::new(&spec, config.staging.batch.get(), config.compute.convolution)
            .memory(&spec, threads);
        Rates::new(&config.solver, &names(&spec))?;
        Ok(Self {
            layers,
            spec,
            classes,
            memory,
            threads,
        })
    }

    /// Makes the network, with its initial weights.
    pub fn build(&self, config: &Config) -> Result<Network, PlanError> {
        let threads = Threads::new("cpu-0", self.threads).map_err(|error| ModelError::Threads {
            count: self.threads,
            reason: error.to_string(),
        })?;
        let batch = config.staging.batch.get();
        let seed = config.run.seed;
        Ok(Network::new(
            &self.layers,
            self.spec.input,
            self.classes,
            batch,
            config.compute.convolution,
            Arc::new(threads),
            seed,
        )?)
    }
}

/// Parameters by name alone, as far as the solver's tables need them.
fn names(spec: &Spec) -> Vec<Parameter> {
    let with_parameters = spec.layers.iter().filter(|layer| layer.start.is_some());
    with_parameters
        .map(|layer| Parameter::new(format!("{}.weight", layer.name), Vec::new(), Vec::new()))
        .collect()
}

/// Cores that this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}

fn layers(config: &Config) -> Result<Vec<Layer>, PlanError> {
    let model = &config.model;
    let overrides = Overrides {
        dropout: model.dropout,
        init: model.init,
        hidden_bias: model.bias,
    };
    match (&model.preset, &model.layers) {
        (Some(name), _) => presets::layers(name, overrides).ok_or_else(|| {
            let nearest = crate::config::errors::nearest(name, presets::NAMES);
            let hint = nearest.map_or(String::new(), |meant| format!(" (did you mean {meant:?}?)"));
            PlanError::Preset {
                name: name.clone(),
                hint,
            }
        }),
        (None, layers) => {
            let mut layers = layers.clone().unwrap_or_default();
            overrides.apply(&mut layers);
            Ok(layers)
        }
    }
}
