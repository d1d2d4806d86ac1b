//! Resolves `[model]`.

use std::sync::Arc;

use super::{PlanError, needs};
use crate::config::Config;
use crate::config::model::Layer;
use crate::devices::cpu::Threads;
use crate::model::presets::{self, Overrides};
use crate::model::solver::Rates;
use crate::model::{Memory, ModelError, Network, Parameter, Placement, Plan, Spec};
use crate::ops::Shape;

/// The numbers of a network that is not built yet.
#[derive(Clone, Debug)]
pub struct ModelPlan {
    /// The layers.
    pub layers: Vec<Layer>,
    /// Their shapes.
    pub spec: Spec,
    /// Classes of the data.
    pub classes: usize,
    /// The devices, in the order of their ranks.
    pub devices: Vec<DevicePlan>,
    /// Compute threads of each device.
    pub threads: usize,
}

/// The part of one device.
#[derive(Clone, Debug)]
pub struct DevicePlan {
    /// `cpu:0`, `cpu:1`, …
    pub name: &'static str,
    /// Which of the devices it is.
    pub placement: Placement,
    /// Memory for its part of a batch.
    pub memory: Memory,
}

impl ModelPlan {
    /// Resolves `[model]` for a number of classes.
    pub fn new(config: &Config, classes: usize) -> Result<Self, PlanError> {
        let layers = layers(config)?;
        let side = config.augment.crop.get();
        let spec = Spec::new(&layers, Shape::new(3, side, side), classes)?;
        let compute = &config.compute;
        let count = compute.devices.len();
        let threads = compute
            .threads
            .map_or_else(|| (cores() / count.max(1)).max(1), std::num::NonZeroUsize::get);
        let placements = compute.names().zip(Placement::all(count, compute.parallel));
        let devices = placements
            .map(|(name, placement)| {
                let own = placement.spec(&spec)?;
                let plan = Plan::on(placement, &own, config.staging.batch.get(), compute.convolution);
                Ok(DevicePlan {
                    name,
                    placement,
                    memory: plan.memory(&own, threads),
                })
            })
            .collect::<Result<_, ModelError>>()?;
        Rates::new(&config.solver, &names(&spec))?;
        Ok(Self {
            layers,
            spec,
            classes,
            devices,
            threads,
        })
    }

    /// The memory of all devices together.
    pub fn memory(&self) -> Memory {
        self.devices.iter().map(|device| device.memory).sum()
    }

    /// Compute threads of all devices together.
    pub fn all_threads(&self) -> usize {
        self.threads * self.devices.len()
    }

    /// Builds the network of each device, with its initial weights.
    pub fn build(&self, config: &Config) -> Result<Vec<Network>, PlanError> {
        let (batch, seed) = (config.staging.batch.get(), config.run.seed);
        let method = config.compute.convolution;
        needs::refuse_beyond_all(needs::NETWORK, &needs::of_networks(&self.memory()))?;
        self.devices
            .iter()
            .map(|device| {
                let threads = self.start_threads(&device.name.replace(':', "-"))?;
                Ok(Network::on(device.placement, &self.spec, batch, method, threads, seed)?)
            })
            .collect()
    }

    /// Builds the whole network on one device, for batches of `batch` images.
    pub fn build_alone(&self, config: &Config, batch: usize) -> Result<Network, PlanError> {
        let (method, seed) = (config.compute.convolution, config.run.seed);
        let memory = Plan::new(&self.spec, batch, method).memory(&self.spec, self.threads);
        needs::refuse_beyond_all(needs::NETWORK, &needs::of_networks(&memory))?;
        let threads = self.start_threads("cpu-0")?;
        Ok(Network::on(Placement::ALONE, &self.spec, batch, method, threads, seed)?)
    }

    fn start_threads(&self, name: &str) -> Result<Arc<Threads>, ModelError> {
        let threads = Threads::new(name, self.threads).map_err(|error| ModelError::Threads {
            count: self.threads,
            reason: error.to_string(),
        })?;
        Ok(Arc::new(threads))
    }
}

/// Parameters with only their names, which is what the solver's tables need.
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

/// The overrides that `[model]` makes to a preset or a list of layers.
pub(super) fn overrides(config: &Config) -> Overrides {
    let model = &config.model;
    Overrides {
        dropout: model.dropout,
        init: model.init,
        hidden_bias: model.bias,
    }
}

fn layers(config: &Config) -> Result<Vec<Layer>, PlanError> {
    let model = &config.model;
    let overrides = overrides(config);
    match (&model.preset, &model.layers) {
        (Some(name), _) => presets::layers(name, overrides).ok_or_else(|| {
            let nearest = crate::config::errors::nearest(name, presets::NAMES);
            let hint = nearest.map_or(String::new(), |meant| format!(" (did you mean {meant:?}?)"));
            PlanError::Preset {
                name: crate::config::errors::short(name).into_owned(),
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
