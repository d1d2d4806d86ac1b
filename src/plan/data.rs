//! Opens the sets of `[data]`.

use std::sync::Arc;

use super::PlanError;
use crate::config::Config;
use crate::config::validation::Validation;
use crate::dataset::{Dataset, DatasetError};
use crate::stages::Sets;

/// Opens the training set, and the validation set if there is one. The classes of the validation set must be among those of
/// the training set.
pub fn open_data(config: &Config) -> Result<(Sets, bool), PlanError> {
    let of = |key| move |source| PlanError::Data { key, source };
    let train = Dataset::open(&config.data.train).map_err(of("train"))?;
    let (train, val) = match &config.data.val {
        None => {
            let train = Arc::new(train);
            let val = Arc::clone(&train);
            return Ok((Sets { train, val }, false));
        }
        Some(Validation::Location(location)) => {
            let val = Dataset::open_for(location, train.classes()).map_err(of("val"))?;
            (train, val)
        }
        Some(Validation::Fraction(fraction)) => train.split(*fraction, config.run.seed).map_err(of("val"))?,
    };
    let (train, val) = (Arc::new(train), Arc::new(val));
    Ok((Sets { train, val }, true))
}

/// Opens only the validation set, for a network that knows `classes`; `None` if there is none. The training set need not
/// exist unless the validation set is a part of it.
pub fn open_validation(config: &Config, classes: &[String]) -> Result<Option<Dataset>, DatasetError> {
    match &config.data.val {
        None => Ok(None),
        Some(Validation::Location(location)) => Dataset::open_for(location, classes).map(Some),
        Some(Validation::Fraction(fraction)) => {
            let (_, aside) = Dataset::open_for(&config.data.train, classes)?.split(*fraction, config.run.seed)?;
            Ok(Some(aside))
        }
    }
}
