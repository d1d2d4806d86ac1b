//! Resolves `[model]`.

use std::sync::Arc;

use super::{PlanError, needs, preprocessing};
use crate::config::Config;
use crate::config::devices::DeviceName;
use crate::config::model::Layer;
use crate::devices::row::RowWriter;
use crate::model::devices::NoGpu;
use crate::model::presets::{self, Overrides};
use crate::model::solver::Rates;
use crate::model::{Device, Job, Memory, ModelError, Parameter, Placement, Spec, devices, init};
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
    /// Why `compute.devices = "auto"` came to the CPU, if it did.
    pub no_gpu: Option<NoGpu>,
    /// Compute threads of each device.
    pub threads: usize,
}

/// The part of one device.
#[derive(Clone, Debug)]
pub struct DevicePlan {
    /// `cpu:0`, `cpu:1`, …, or `cuda:0`.
    pub name: DeviceName,
    /// Which of the devices it is.
    pub placement: Placement,
    /// Memory for its part of a batch: a GPU's own, or the host's.
    pub memory: Memory,
}

impl ModelPlan {
    /// Resolves `[model]` for a number of classes.
    pub fn new(config: &Config, classes: usize) -> Result<Self, PlanError> {
        let layers = layers(config)?;
        let side = config.augment.crop.get();
        let spec = Spec::new(&layers, Shape::new(3, side, side), classes)?;
        let compute = &config.compute;
        let batch = config.staging.batch.get();
        let named = compute.devices.names();
        let count = named.as_ref().map_or(1, Vec::len);
        let threads = compute
            .threads
            .map_or_else(|| (cores() / count.max(1)).max(1), std::num::NonZeroUsize::get);
        let job = job(config, &spec, batch, threads);
        let (names, no_gpu) = named.map_or_else(
            || {
                let fits = |name| devices::memory(&job, name, Placement::ALONE).map(drop);
                let (name, no_gpu) = devices::automatic(fits);
                (vec![name], no_gpu)
            },
            |names| (names, None),
        );
        let placements = names.into_iter().zip(Placement::all(count, compute.parallel));
        let devices = placements.map(|(name, placement)| {
            Ok(DevicePlan {
                name,
                placement,
                memory: devices::memory(&job, name, placement)?,
            })
        });
        let devices = devices.collect::<Result<_, ModelError>>()?;
        Rates::new(&config.solver, &spec)?;
        Ok(Self {
            layers,
            spec,
            classes,
            devices,
            no_gpu,
            threads,
        })
    }

    /// The devices' names, in the order of their ranks.
    pub fn names(&self) -> impl Iterator<Item = DeviceName> {
        self.devices.iter().map(|device| device.name)
    }

    /// The first device.
    fn first(&self) -> DeviceName {
        self.names().next().unwrap_or(DeviceName::CPU)
    }

    /// The host's memory for all devices together. GPUs have their own.
    pub fn memory(&self) -> Memory {
        let of_host = self.devices.iter().filter(|device| !device.name.is_gpu());
        of_host.map(|device| device.memory).sum()
    }

    /// Memory of the GPU, if one is used.
    pub fn gpu_memory(&self) -> Option<Memory> {
        let gpu = self.devices.iter().find(|device| device.name.is_gpu())?;
        Some(gpu.memory)
    }

    /// Compute threads of all devices together.
    pub fn all_threads(&self) -> usize {
        self.threads * self.devices.len()
    }

    /// The writer of the devices' rows.
    pub fn row_writer(&self) -> Arc<dyn RowWriter> {
        devices::row_writer(self.first(), self.spec.input.height)
    }

    /// The weights before the first step.
    pub fn initial_weights(&self, config: &Config) -> Result<Vec<Parameter>, PlanError> {
        Ok(init::parameters(&self.spec, config.run.seed, self.all_threads())?)
    }

    /// Builds the devices, connected to each other.
    pub fn build(&self, config: &Config) -> Result<Vec<Box<dyn Device>>, PlanError> {
        needs::refuse_beyond_all(needs::NETWORK, &needs::of_networks(&self.memory()))?;
        let names: Vec<DeviceName> = self.names().collect();
        let job = job(config, &self.spec, config.staging.batch.get(), self.threads);
        Ok(devices::build(&job, &names, config.compute.parallel)?)
    }

    /// Builds a device with the whole network, for batches of `batch` images.
    pub fn build_alone(&self, config: &Config, batch: usize) -> Result<Box<dyn Device>, PlanError> {
        let job = job(config, &self.spec, batch, self.threads);
        let memory = devices::memory(&job, self.first(), Placement::ALONE)?;
        if !self.first().is_gpu() {
            needs::refuse_beyond_all(needs::NETWORK, &needs::of_networks(&memory))?;
        }
        Ok(devices::build_alone(&job, self.first())?)
    }
}

/// What devices with `threads` threads each are to compute with batches of `batch` images.
fn job<'a>(config: &Config, spec: &'a Spec, batch: usize, threads: usize) -> Job<'a> {
    Job {
        spec,
        batch,
        seed: config.run.seed,
        method: config.compute.convolution,
        threads,
        mean_side: preprocessing::mean_image_side(config).map_or(0, |side| side as usize),
        blocking: config.compute.blocking,
    }
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
