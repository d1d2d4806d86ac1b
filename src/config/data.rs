//! `[data]`: which images.

use std::path::PathBuf;

use super::range::Range;
use super::validation::Validation;
use super::value::table;

table! {
    /// `[data]`. A location is a folder of class folders, a tar of one (`x.tar` or `x.tar/folder`), a list file,
    /// `idx:PREFIX`, `cifar:DIR/train` or `ilsvrc:DIR/train`.
    Data {
        /// The training set.
        train: String = String::new(),
        /// The validation set, or what part of the training set it is; without one the run has no errors to show.
        val: Option<Validation> = None,
        /// How many processes share the training set: each trains on its own part of every epoch.
        ranks: u32 = 1 => Range::whole(1, 65_536),
        /// Which of them this is, from 0.
        rank: u32 = 0 => Range::whole(0, 65_535),
        /// Where statistics of a data set are kept for the next run; default: the user's cache folder.
        cache: Option<PathBuf> = None,
    }
}
