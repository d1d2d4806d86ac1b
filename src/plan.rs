//! What a configuration comes to: data sets opened, layers and shapes worked out, every number of the run known, and
//! nothing begun. `pipeline check` prints it; [`crate::topology`] builds from it.

use std::num::NonZeroU32;
use std::sync::Arc;

use crate::config::Config;
use crate::config::augment::{Mean, PcaScale};
use crate::config::model::Layer;
use crate::dataset::statistics::Statistics;
use crate::dataset::{Dataset, DatasetError, check_classes};
use crate::devices::cpu::PlanarRows;
use crate::devices::row::RowWriter;
use crate::model::presets::{self, Overrides};
use crate::model::solver::{Rates, UnknownLayer};
use crate::model::{Memory, ModelError, Network, Parameter, Spec};
use crate::ops::Shape;
use crate::stages::Sets;
use crate::stages::augment::{Augment, ColourNoise, Mean as Subtracted, Rule};
use crate::stages::decode::{Decode, Options};
use crate::stages::source::Itinerary;

/// A configuration that reads well but cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A data set cannot be used.
    #[error("data.{key}: {source}")]
    Data {
        /// `train` or `val`.
        key: &'static str,
        /// Why.
        source: DatasetError,
    },
    /// No preset of that name.
    #[error("model.preset: there is no {name:?}{hint}; there are {}", presets::NAMES.join(", "))]
    Preset {
        /// What was asked for.
        name: String,
        /// What may have been meant.
        hint: String,
    },
    /// The layers do not fit.
    #[error("model: {0}")]
    Model(#[from] ModelError),
    /// A table for a layer that is not there.
    #[error("solver.layers: {0}")]
    Solver(#[from] UnknownLayer),
    /// The number of classes is not the one that the configuration says.
    #[error("model.classes is {expected}, but {location} has {found} classes")]
    Classes {
        /// In the configuration.
        expected: usize,
        /// In the data.
        found: usize,
        /// The data set.
        location: String,
    },
    /// The sample counter has 32 bits.
    #[error("{location}: {samples} samples are more than 4 294 967 295 rows an epoch allow")]
    TooMany {
        /// The data set.
        location: String,
        /// How many.
        samples: usize,
    },
}

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
        let memory = crate::model::Plan::new(&spec, config.staging.batch.get()).memory(&spec, threads);
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
        let threads = crate::devices::cpu::Threads::new("cpu-0", self.threads).map_err(|_| ModelError::Zero {
            what: "the number of threads that can be started",
        })?;
        let batch = config.staging.batch.get();
        let seed = config.run.seed;
        Ok(Network::new(
            &self.layers,
            self.spec.input,
            self.classes,
            batch,
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
            let hint = nearest.map_or(String::new(), |meant| format!("; did you mean {meant:?}?"));
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

/// Opens the training set, and the validation set where there is one; their classes must agree.
pub fn open_data(config: &Config) -> Result<(Sets, bool), PlanError> {
    let open = |key, location: &str| Dataset::open(location).map_err(|source| PlanError::Data { key, source });
    let train = Arc::new(open("train", &config.data.train)?);
    let Some(location) = &config.data.val else {
        return Ok((
            Sets {
                val: Arc::clone(&train),
                train,
            },
            false,
        ));
    };
    let val = Arc::new(open("val", location)?);
    check_classes(train.classes(), val.classes()).map_err(|source| PlanError::Data { key: "val", source })?;
    Ok((Sets { train, val }, true))
}

/// Everything that a run needs to know before it begins.
pub struct Plan {
    /// The configuration.
    pub config: Config,
    /// The data.
    pub sets: Sets,
    /// The network.
    pub model: ModelPlan,
    /// The way of the run.
    pub itinerary: Itinerary,
    /// The device's door.
    pub writer: Arc<dyn RowWriter>,
}

impl Plan {
    /// Opens the data of `config` and works everything out.
    pub fn new(config: Config) -> Result<Self, PlanError> {
        let (sets, has_val) = open_data(&config)?;
        let classes = sets.train.classes().len();
        if let Some(expected) = config.model.classes
            && expected.get() != classes
        {
            let location = sets.train.location().to_string();
            return Err(PlanError::Classes {
                expected: expected.get(),
                found: classes,
                location,
            });
        }
        let model = ModelPlan::new(&config, classes)?;
        let itinerary = itinerary(&config, &sets, has_val)?;
        let writer = Arc::new(PlanarRows::new(config.augment.crop.get()));
        Ok(Self {
            config,
            sets,
            model,
            itinerary,
            writer,
        })
    }

    /// Fingerprints of both sets: a resumed run must find the same.
    pub fn fingerprints(&self) -> [u64; 2] {
        [self.sets.train.fingerprint(), self.sets.val.fingerprint()]
    }

    /// The rule that draws crop, reflection and colour.
    pub fn rule(&self, statistics: Option<&Statistics>) -> Rule {
        let augment = &self.config.augment;
        let colour = augment.pca.as_ref().zip(statistics).map(|(pca, statistics)| {
            let strength = |i: usize| {
                let value = statistics.eigenvalues[i];
                let scale = if pca.scale == PcaScale::Stddev {
                    value.sqrt()
                } else {
                    value
                };
                f64::from(pca.sigma) * scale * 255.0
            };
            let components = [0, 1, 2].map(|i| statistics.eigenvectors[i].map(|x| x * strength(i)));
            ColourNoise { components }
        });
        Rule {
            seed: self.config.run.seed,
            crop: augment.crop.get() as u32,
            flip: augment.flip,
            colour,
            views: self.itinerary.views,
        }
    }

    /// What decode workers know.
    pub fn decode(&self, rule: Rule) -> Decode {
        let decode = &self.config.decode;
        let options = Options {
            shorter_side: decode.shorter_side,
            square: decode.square,
            exif: decode.exif,
            ..Options::default()
        };
        Decode {
            options,
            rule,
            data: self.sets.clone(),
            on_bad_image: self.config.run.on_bad_image,
            quarantine: self.config.run.out.join("quarantine"),
        }
    }

    /// What augment workers know.
    pub fn augment(&self, rule: Rule, statistics: Option<&Statistics>) -> Augment {
        let augment = &self.config.augment;
        let mean = match (augment.mean, statistics) {
            (Mean::Fixed(rgb), _) => Subtracted::Channel(rgb),
            (
                Mean::Image,
                Some(Statistics {
                    mean_image: Some(image),
                    ..
                }),
            ) => Subtracted::Image {
                side: image.side,
                values: image.values.as_slice().into(),
            },
            (_, Some(statistics)) => Subtracted::Channel(statistics.channel_mean.map(|mean| mean as f32)),
            (_, None) => Subtracted::Channel([0.0; 3]),
        };
        Augment {
            rule,
            mean,
            scale: augment.std.map_or([1.0; 3], |std| std.map(|s| 1.0 / s)),
            writer: Arc::clone(&self.writer),
            data: self.sets.clone(),
            hash_pixels: self.config.run.hash_pixels,
        }
    }

    /// Whether a pass over the training set must be made before training.
    pub fn needs_statistics(&self) -> bool {
        !matches!(self.config.augment.mean, Mean::Fixed(_)) || self.config.augment.pca.is_some()
    }

    /// Side of every frame, where a mean image is wanted.
    pub fn mean_image_side(&self) -> Option<u32> {
        (self.config.augment.mean == Mean::Image)
            .then_some(self.config.decode.shorter_side)
            .flatten()
    }

    /// Buffers in which decoded pixels travel: one in each hand and one in each place of the queue between.
    pub fn pixel_buffers(&self) -> usize {
        let Config { decode, augment, .. } = &self.config;
        decode.workers.get() + augment.queue.get() + augment.workers.get()
    }

    /// Bytes of the slots.
    pub fn slot_bytes(&self) -> u64 {
        let staging = &self.config.staging;
        (staging.slots.get() * staging.batch.get() * self.writer.row_bytes()) as u64
    }

    /// Bytes of a pixel buffer at its largest; `None` where the size of the images decides.
    pub fn pixel_buffer_bytes(&self) -> Option<u64> {
        let crop = self.config.augment.crop.get() as u64;
        let side = if self.itinerary.views == 1 {
            Some(crop)
        } else {
            self.config.decode.shorter_side.map(u64::from)
        };
        side.map(|side| 3 * side * side)
    }

    /// Bytes of the copy that a checkpoint is written from.
    pub fn snapshot_bytes(&self) -> u64 {
        self.model.memory.parameters + self.model.memory.momentum
    }
}

fn itinerary(config: &Config, sets: &Sets, has_val: bool) -> Result<Itinerary, PlanError> {
    let count = |set: &Dataset, views: u32| {
        let rows = set.len() as u64 * u64::from(views);
        // One batch more must fit, so that a row's address never overflows.
        u32::try_from(rows + config.staging.batch.get() as u64)
            .map(|_| set.len() as u32)
            .map_err(|_| PlanError::TooMany {
                location: set.location().to_string(),
                samples: set.len(),
            })
    };
    let views = config.evaluate.crops.count();
    let (train, val) = (
        count(&sets.train, 1)?,
        if has_val { count(&sets.val, views)? } else { 0 },
    );
    let batch = config.staging.batch.get() as u32;
    let whole = u64::from(train.div_ceil(batch)) * u64::from(config.run.epochs);
    Ok(Itinerary {
        seed: config.run.seed,
        batch,
        train_samples: train,
        val_samples: val,
        views,
        every_epochs: NonZeroU32::try_from(config.evaluate.every_epochs).unwrap_or(NonZeroU32::MIN),
        steps: config.run.steps.map_or(whole, u64::from),
    })
}
