//! What a configuration comes to: data sets opened, layers and shapes worked out, every number of the run known, and
//! nothing begun. `pipeline check` prints it; [`crate::topology`] builds from it.

mod buffers;
mod crew;
pub mod look;
mod model;
mod workspace;

pub use buffers::Buffers;
pub use crew::Crew;
pub use model::{DevicePlan, ModelPlan, cores};

use std::num::NonZeroU32;
use std::sync::Arc;

use crate::config::Config;
use crate::dataset::statistics::Statistics;
use crate::dataset::{Dataset, DatasetError, check_classes};
use crate::devices::cpu::PlanarRows;
use crate::devices::row::RowWriter;
use crate::model::ModelError;
use crate::model::presets;
use crate::model::solver::UnknownLayer;
use crate::stages::Sets;
use crate::stages::augment::{Augment, Rule};
use crate::stages::decode::Decode;
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
    /// The statistics of the training set are needed and not there.
    #[error("augment.mean needs the statistics of the training set, and the checkpoint does not hold them")]
    NoStatistics,
    /// The sample counter has 32 bits.
    #[error("{location}: {samples} samples are more than 4 294 967 295 rows an epoch allow")]
    TooMany {
        /// The data set.
        location: String,
        /// How many.
        samples: usize,
    },
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
    /// Cores that this process may use: the limit of what grows by itself.
    pub cores: usize,
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
            cores: cores(),
        })
    }

    /// Bytes that all decode workers together work in, about.
    pub fn workspace(&self) -> u64 {
        let one = |data| workspace::of_one_decoder(data);
        let largest = one(&self.sets.train).max(if self.itinerary.val_samples > 0 {
            one(&self.sets.val)
        } else {
            0
        });
        largest * self.decoders().most as u64
    }

    /// Memory that the stages hold.
    pub fn buffers(&self) -> Buffers {
        Buffers::new(&self.config, &self.model, self.cores)
    }

    /// Decode's workers.
    pub fn decoders(&self) -> Crew {
        Crew::new(self.config.decode.workers, self.cores)
    }

    /// Augment's workers.
    pub fn augmenters(&self) -> Crew {
        Crew::new(self.config.augment.workers, self.cores)
    }

    /// Fingerprints of both sets: a resumed run must find the same.
    pub fn fingerprints(&self) -> [u64; 2] {
        [self.sets.train.fingerprint(), self.sets.val.fingerprint()]
    }

    /// The rule that draws crop, reflection and colour.
    pub fn rule(&self, statistics: Option<&Statistics>) -> Rule {
        let augment = &self.config.augment;
        Rule {
            seed: self.config.run.seed,
            crop: augment.crop.get() as u32,
            resized: augment.random_resized_crop.as_ref().map(look::resized_crop),
            flip: augment.flip,
            jitter: augment.jitter.as_ref().map(look::jitter),
            cutout: augment.cutout,
            colour: look::colour_noise(&self.config, statistics),
            views: self.itinerary.views,
        }
    }

    /// What decode workers know.
    pub fn decode(&self, rule: Rule) -> Decode {
        Decode {
            options: look::decode_options(&self.config),
            rule,
            data: self.sets.clone(),
            on_bad_image: self.config.run.on_bad_image,
            quarantine: self.config.run.out.join("quarantine"),
        }
    }

    /// What augment workers know.
    pub fn augment(&self, rule: Rule, statistics: Option<&Statistics>) -> Result<Augment, PlanError> {
        Ok(Augment {
            rule,
            look: look::look(&self.config, statistics, Arc::clone(&self.writer))?,
            data: self.sets.clone(),
            hash_pixels: self.config.run.hash_pixels,
        })
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
