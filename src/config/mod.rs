//! The TOML of a run: one file per table, in the order of the data flow. Reading accesses only the text, and `$HOME` for `~`.

use std::fmt;
use std::path::PathBuf;

pub mod errors;

pub mod node;

pub mod origin;

pub mod range;

pub mod value;

mod home;

mod misplaced;

pub mod workers;

pub mod memory;

pub mod run;

pub mod data;

pub mod validation;

pub mod decode;

pub mod augment;

pub mod staging;

pub mod compute;
/// Names of devices.
pub mod devices;

pub mod model;

mod layer;

pub mod solver;

mod schedule;

pub mod evaluate;

pub mod checkpoint;

pub mod observe;

use errors::{ConfigError, Errors};
use node::Node;
use origin::Origin;
use validation::Validation;
use value::table;

use crate::text;

table! {
    /// A whole configuration. Every table except `data` is optional.
    Config {
        /// Where the run lives and how long it lasts.
        run: run::Run = run::Run::default(),
        /// The images.
        data: data::Data = data::Data::default(),
        /// From encoded bytes to RGB.
        decode: decode::Decode = decode::Decode::default(),
        /// Crop, reflection, colour, mean.
        augment: augment::Augment = augment::Augment::default(),
        /// Where rows become batches.
        staging: staging::Staging = staging::Staging::default(),
        /// The devices.
        compute: compute::Compute = compute::Compute::default(),
        /// The network.
        model: model::Model = model::Model::default(),
        /// How it learns.
        solver: solver::Solver = solver::Solver::default(),
        /// When and how the validation set is evaluated.
        evaluate: evaluate::Evaluate = evaluate::Evaluate::default(),
        /// Which checkpoints are kept.
        checkpoint: checkpoint::Checkpoint = checkpoint::Checkpoint::default(),
        /// Progress and events.
        observe: observe::Observe = observe::Observe::default(),
    }
}

/// An invalid configuration, with all its errors.
#[derive(Debug)]
pub struct Invalid {
    /// The name of the text in messages: the path of the file.
    pub name: String,
    /// The first errors. Causes come before possible consequences; otherwise the order is that of the file.
    pub errors: Vec<ConfigError>,
    /// The number of further errors.
    pub more: usize,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = text::plain(&self.name);
        for (i, error) in self.errors.iter().enumerate() {
            let newline = if i == 0 { "" } else { "\n" };
            write!(f, "{newline}{name}: {error}")?;
        }
        if self.more > 0 {
            write!(f, "\n{name}: and {} more errors", self.more)?;
        }
        Ok(())
    }
}

impl std::error::Error for Invalid {}

impl Invalid {
    fn new(name: &str, errors: Errors) -> Self {
        let (errors, more) = errors.sorted();
        Self {
            name: name.to_string(),
            errors,
            more,
        }
    }
}

impl Config {
    /// The longest text that is read, in bytes. A configuration has some thousands.
    pub const LONGEST: u64 = 4 << 20;

    /// Reads `text`, called `name` in messages, and overrides it by each `KEY=VALUE` of `sets`.
    pub fn parse(name: &str, text: &str, sets: &[String]) -> Result<Self, Invalid> {
        let mut errors = Errors::default();
        if text.len() as u64 > Self::LONGEST {
            let message = format!("longer than {} MiB: this is not a configuration", Self::LONGEST >> 20);
            errors.push(ConfigError::new(Origin::Line(1), "", message));
            return Err(Invalid::new(name, errors));
        }
        let mut document = Node::parse(text, &mut errors);
        if !errors.is_empty() {
            // The readable part of this text would give complaints about values that nobody wrote.
            return Err(Invalid::new(name, errors));
        }
        for assignment in sets {
            document.set(assignment, &mut errors);
        }
        misplaced::take_out(&mut document, &mut errors);
        let mut config = <Self as value::Value>::read(&document, "", &mut errors).unwrap_or_default();
        let unread = errors.end_of_reading();
        let mut complain = |key: &str, message: String| {
            let table = key.split('.').next().unwrap_or_default();
            // Values that could not be read have their defaults now. Nobody wrote those, so they are not checked.
            if !unread.contains(table) {
                errors.push(ConfigError::new(document.origin_of(key), key, message));
            }
        };
        config.write_out_home(&mut complain);
        config.check(&mut complain);
        if errors.is_empty() {
            Ok(config)
        } else {
            Err(Invalid::new(name, errors))
        }
    }

    /// Expands `~` in paths, so that the configuration finds the same files when it is used elsewhere.
    fn write_out_home(&mut self, complain: &mut impl FnMut(&str, String)) {
        let home = std::env::var("HOME").ok();
        let mut expand = |key: &str, path: &str| {
            home::expand(path, home.as_deref()).unwrap_or_else(|error| {
                complain(key, error.to_string());
                path.to_string()
            })
        };
        let data = &mut self.data;
        data.train = expand("data.train", &data.train);
        if let Some(Validation::Location(location)) = &mut data.val {
            *location = expand("data.val", location);
        }
        let mut folder = |key: &str, path: PathBuf| PathBuf::from(expand(key, &path.to_string_lossy()));
        data.cache = data.cache.take().map(|cache| folder("data.cache", cache));
        self.run.out = folder("run.out", std::mem::take(&mut self.run.out));
    }

    /// Checks the rules between keys.
    fn check(&self, complain: &mut impl FnMut(&str, String)) {
        if self.data.train.is_empty() {
            complain(
                "data.train",
                "missing: set it to the location of the training set, such as a folder of class folders".to_string(),
            );
        }
        if self.data.val == Some(Validation::Location(String::new())) {
            complain(
                "data.val",
                "the path is empty: set it to the location of the validation set, or leave it out".to_string(),
            );
        }
        let data::Data { ranks, rank, .. } = self.data;
        if rank >= ranks {
            let last = ranks - 1;
            complain(
                "data.rank",
                format!("there is no rank {rank}: data.ranks is {ranks}, so ranks go from 0 to {last}"),
            );
        }
        let crop = self.augment.crop.get();
        if let Some(side) = self.decode.shorter_side
            && crop > side as usize
        {
            complain(
                "augment.crop",
                format!("{crop} is larger than decode.shorter_side, which is {side}"),
            );
        }
        if self.augment.mean == augment::Mean::Image && !(self.decode.square && self.decode.shorter_side.is_some()) {
            complain(
                "augment.mean",
                "\"image\" needs decode.square = true and decode.shorter_side".to_string(),
            );
        }
        self.augment.check(complain);
        if self.run.epochs == 0 && self.run.steps.is_none() {
            complain("run.epochs", "must be at least 1, unless run.steps is set".to_string());
        }
        if self.run.out.as_os_str().is_empty() {
            complain(
                "run.out",
                "the path is empty: set it to a folder for the run".to_string(),
            );
        }
        self.compute.check(self.staging.batch, complain);
        self.model.check(complain);
    }

    /// The whole configuration as TOML, including defaults.
    pub fn to_toml(&self) -> String {
        let tables = [
            ("run", self.run.keys()),
            ("data", self.data.keys()),
            ("decode", self.decode.keys()),
            ("augment", self.augment.keys()),
            ("staging", self.staging.keys()),
            ("compute", self.compute.keys()),
            ("model", self.model.keys()),
            ("solver", self.solver.keys()),
            ("evaluate", self.evaluate.keys()),
            ("checkpoint", self.checkpoint.keys()),
            ("observe", self.observe.keys()),
        ];
        let mut text = String::new();
        for (name, keys) in tables {
            text += &format!("[{name}]\n");
            for (key, value) in keys {
                text += &format!("{key} = {value}\n");
            }
            text.push('\n');
        }
        text
    }

    /// Every key that is set, as `table.key` and its value, in the order of the tables.
    pub fn flat(&self) -> Vec<(String, String)> {
        let mut flat = Vec::new();
        let mut table = String::new();
        for line in self.to_toml().lines() {
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                table = name.to_string();
            } else if let Some((key, value)) = line.split_once(" = ") {
                flat.push((format!("{table}.{key}"), value.to_string()));
            }
        }
        flat
    }
}
