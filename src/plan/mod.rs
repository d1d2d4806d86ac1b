//! Resolves a configuration: opens the data sets and works out the layers, the shapes and every number of the run, without
//! starting anything. `pipeline check` prints the result; [`crate::topology`] builds from it.

mod available;
mod buffers;
mod crew;
mod crop;
mod data;
mod disk;
mod memory_budget;
mod model;
pub mod needs;
pub mod preprocessing;
pub mod scale;
mod workspace;

pub use available::{Bound, Total};
pub use buffers::Buffers;
pub use crew::{Crew, Crews};
pub use data::{open_data, open_validation};
pub use disk::Disk;
pub use memory_budget::{Limit, MemoryBudget, SHARE};
pub use model::{DevicePlan, ModelPlan, cores};
pub use needs::{Need, Taker};
pub use workspace::of_one_decoder;

use std::num::NonZeroU32;
use std::sync::Arc;

use crate::config::Config;
use crate::config::devices::Devices;
use crate::dataset::statistics::Statistics;
use crate::dataset::{Dataset, DatasetError};
use crate::devices::row::RowWriter;
use crate::flow::Slot;
use crate::memory::{Bytes, NoMemory};
use crate::model::presets;
use crate::model::solver::UnknownLayer;
use crate::model::{DeviceError, ModelError};
use crate::stages::augment::Augment;
use crate::stages::decode::{Decode, LARGE, Options};
use crate::stages::rule::Rule;
use crate::stages::source::Itinerary;
use crate::stages::{Partition, Sets};
use crate::text;

/// A valid configuration that cannot be run.
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
    /// The preset does not exist.
    #[error("model.preset: unknown preset {name:?}{hint}; the presets are {}", presets::NAMES.join(", "))]
    Preset {
        /// What was asked for.
        name: String,
        /// A similar name, if any.
        hint: String,
    },
    /// The layers do not fit.
    #[error("{key}: {0}", key = .0.key())]
    Model(#[from] ModelError),
    /// A table for a layer that does not exist.
    #[error("solver.layers: {0}")]
    Solver(#[from] UnknownLayer),
    /// The number of classes differs from the configuration.
    #[error("model.classes is {expected}, but {} has {found} classes", text::plain(.location))]
    Classes {
        /// In the configuration.
        expected: usize,
        /// In the data.
        found: usize,
        /// The data set.
        location: String,
    },
    /// The statistics of the training set are needed but missing.
    #[error("augment.mean needs the statistics of the training set, but the checkpoint does not contain them")]
    NoStatistics,
    /// The crop is larger than some images.
    #[error(
        "augment.crop is {crop}, but {sample} has only {width} x {height} pixels ({small} of {examined} examined images of data.{key} \
         are smaller than the crop{budget}); lower augment.crop, or enlarge the images with decode.shorter_side = {crop} or more"
    )]
    Crop {
        /// The crop's side.
        crop: u32,
        /// `train` or `val`.
        key: &'static str,
        /// An image.
        sample: String,
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
        /// How many of the examined images are too small.
        small: u32,
        /// Images examined.
        examined: u32,
        /// What that means for the run's budget of bad images, if it has one.
        budget: String,
    },
    /// There is no room even for the fewest workers.
    #[error(
        "run.memory: {limit} is not enough: with one worker per \"auto\" stage the run needs {needed} ({} of it: {}); raise \
         run.memory, or lower staging.batch, staging.slots or augment.queue",
        .largest.bytes,
        .largest.what
    )]
    Memory {
        /// The memory that it may take.
        limit: Bytes,
        /// The memory that it needs.
        needed: Bytes,
        /// The largest part of the need.
        largest: Need,
    },
    /// The need exceeds the memory that exists.
    #[error(
        "the {} needs {needed} of memory ({} of it: {}), but can get at most {}, {}; {}",
        .taker.name,
        .largest.bytes,
        .largest.what,
        .total.bytes,
        .total.bound,
        .taker.remedy
    )]
    BeyondAll {
        /// What needs the memory.
        taker: Taker,
        /// The memory that it needs.
        needed: Bytes,
        /// The largest part of the need.
        largest: Need,
        /// The memory that exists.
        total: Total,
    },
    /// An allocation failed, contrary to the plan.
    #[error(transparent)]
    NoMemory(#[from] NoMemory),
    /// A device cannot take its weights.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The sample counter has 32 bits.
    #[error(
        "{}: {samples} samples in batches of {batch} rows (of all ranks) exceed the limit of 4,294,967,295 rows per epoch",
        text::plain(.location)
    )]
    TooMany {
        /// The data set.
        location: String,
        /// How many.
        samples: usize,
        /// Rows of a batch, over all ranks.
        batch: u64,
    },
}

impl PlanError {
    /// Whether the machine is at fault and not the configuration: an allocation or a device has failed.
    pub fn is_fault_of_machine(&self) -> bool {
        matches!(
            self,
            Self::NoMemory(_) | Self::Model(ModelError::NoMemory(_) | ModelError::Cuda(_)) | Self::Device(_)
        )
    }
}

/// Everything that a run needs to know before it begins.
pub struct Plan {
    /// The configuration.
    pub config: Config,
    /// The data.
    pub sets: Sets,
    /// The network.
    pub model: ModelPlan,
    /// The itinerary of the run.
    pub itinerary: Itinerary,
    /// The device's interface for rows.
    pub writer: Arc<dyn RowWriter>,
    /// Cores that this process may use. They limit variable numbers of workers.
    pub cores: usize,
    /// The memory budget, which limits them too.
    pub memory: MemoryBudget,
    /// The approximate memory of one decode worker.
    pub workspace: Bytes,
}

impl Plan {
    /// Opens the data of `config` and works everything out.
    pub fn new(config: Config) -> Result<Self, PlanError> {
        let (sets, has_val) = open_data(&config)?;
        Self::of(config, sets, has_val)
    }

    /// The plan of an evaluation on `data`, which is already open. The training set need not exist.
    pub fn of_evaluation(config: Config, data: Dataset) -> Result<Self, PlanError> {
        let train = Arc::new(data);
        let val = Arc::clone(&train);
        Self::of(config, Sets { train, val }, true)
    }

    fn of(mut config: Config, sets: Sets, has_val: bool) -> Result<Self, PlanError> {
        scale::fill_in(&mut config);
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
        // What "auto" came to is a part of the run.
        config.compute.devices = Devices::named(model.names());
        let itinerary = itinerary(&config, &sets, has_val)?;
        let writer = model.row_writer();
        let workspace = Bytes::new(crop::look_at_images(&config, &sets, has_val)?);
        let memory = MemoryBudget::new(&config, &model, workspace)?;
        Ok(Self {
            config,
            sets,
            model,
            itinerary,
            writer,
            cores: cores(),
            memory,
            workspace,
        })
    }

    /// Refuses a pass for statistics that needs more memory than exists.
    pub fn refuse_statistics_beyond_all(&self) -> Result<(), PlanError> {
        let side = self.config.decode.shorter_side;
        let needs = self.buffers().needs_of_statistics(side, self.workspace);
        needs::refuse_beyond_all(needs::STATISTICS, &needs)
    }

    /// Warnings about settings that are likely to keep the network from learning.
    pub fn warnings(&self) -> Vec<scale::Warning> {
        scale::warnings(&self.config, &self.model.layers)
    }

    /// The needs that make up the memory of the run.
    pub fn needs(&self) -> Vec<Need> {
        self.buffers().needs(&self.model.memory(), self.workspace)
    }

    /// The buffers of the stages.
    pub fn buffers(&self) -> Buffers {
        Buffers::new(&self.config, &self.model, self.crews())
    }

    /// The workers of decode and augment.
    pub fn crews(&self) -> Crews {
        self.memory.crews(&self.config, self.cores)
    }

    /// Fingerprints of both sets. They must be the same when the run is resumed.
    pub fn fingerprints(&self) -> [u64; 2] {
        [self.sets.train.fingerprint(), self.sets.val.fingerprint()]
    }

    /// The rule that draws crop, reflection and colour.
    pub fn rule(&self, statistics: Option<&Statistics>) -> Rule {
        let augment = &self.config.augment;
        Rule {
            seed: self.config.run.seed,
            crop: augment.crop.get() as u32,
            resized: augment.random_resized_crop.as_ref().map(preprocessing::resized_crop),
            flip: augment.flip,
            jitter: augment.jitter.as_ref().map(preprocessing::jitter),
            cutout: augment.cutout,
            colour: preprocessing::colour_noise(&self.config, statistics),
            views: self.itinerary.views,
        }
    }

    /// The settings of decode workers.
    pub fn decode(&self, rule: Rule) -> Decode {
        Decode {
            options: Options {
                // A worker may use the memory that is counted for it at any time.
                large: self.workspace.get().max(LARGE),
                ..preprocessing::decode_options(&self.config)
            },
            rule,
            data: self.sets.clone(),
            on_bad_image: self.config.run.on_bad_image,
            quarantine: self.config.run.out.join("quarantine"),
        }
    }

    /// Memory for the batches that are being assembled, or wait for a device.
    pub fn slots(&self) -> Result<Vec<Slot>, NoMemory> {
        let staging = &self.config.staging;
        let slot = |_| Slot::new(staging.batch.get(), self.writer.row_bytes());
        (0..staging.slots.get()).map(slot).collect()
    }

    /// The mean image that crops lose, in planes of R, G and B, if they lose one.
    pub fn mean_image(&self, statistics: Option<&Statistics>) -> Result<Option<Arc<[f32]>>, PlanError> {
        let normalization = preprocessing::normalization(&self.config, statistics, Arc::clone(&self.writer))?;
        Ok(normalization.mean_image())
    }

    /// The settings of augment workers.
    pub fn augment(&self, rule: Rule, statistics: Option<&Statistics>) -> Result<Augment, PlanError> {
        Ok(Augment {
            rule,
            normalization: preprocessing::normalization(&self.config, statistics, Arc::clone(&self.writer))?,
            data: self.sets.clone(),
            hash_pixels: self.config.run.hash_pixels,
        })
    }
}

fn itinerary(config: &Config, sets: &Sets, has_val: bool) -> Result<Itinerary, PlanError> {
    let count = |set: &Dataset, views: u32, ranks: u32| {
        let rows = set.len() as u64 * u64::from(views);
        // One more batch must fit, so that a row's address never overflows.
        let batch = (config.staging.batch.get() as u64).saturating_mul(u64::from(ranks));
        u32::try_from(rows.saturating_add(batch))
            .map(|_| set.len() as u32)
            .map_err(|_| PlanError::TooMany {
                location: set.location().to_string(),
                samples: set.len(),
                batch,
            })
    };
    let views = config.evaluate.crops.count();
    let partition = Partition {
        ranks: NonZeroU32::new(config.data.ranks).unwrap_or(NonZeroU32::MIN),
        rank: config.data.rank,
    };
    let (train, val) = (
        count(&sets.train, 1, partition.ranks.get())?,
        if has_val { count(&sets.val, views, 1)? } else { 0 },
    );
    let batch = config.staging.batch.get() as u32;
    let whole = u64::from(partition.steps(train, batch)) * u64::from(config.run.epochs);
    Ok(Itinerary {
        seed: config.run.seed,
        batch,
        train_samples: train,
        partition,
        val_samples: val,
        views,
        every_epochs: NonZeroU32::try_from(config.evaluate.every_epochs).unwrap_or(NonZeroU32::MIN),
        steps: config.run.steps.map_or(whole, u64::from),
    })
}
