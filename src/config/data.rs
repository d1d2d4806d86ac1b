//! `[data]`: the images.

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
        /// The validation set, or the part of the training set to use as one. Without it the run has no errors to show.
        val: Option<Validation> = None,
        /// How many processes share the training set. Each trains on its own part of every epoch.
        ranks: u32 = 1 => Range::whole(1, 65_536),
        /// The number of this process, from 0.
        rank: u32 = 0 => Range::whole(0, 65_535),
        /// The folder for cached statistics of data sets; default: the user's cache folder.
        cache: Option<PathBuf> = None,
    }
}
