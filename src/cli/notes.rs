//! Notes on a data set before it is used, one line each on stderr.

use crate::dataset::Dataset;
use crate::observe::terminal::tell;

/// Prints which files of the set called `key` are ignored, and which classes have no image.
pub(super) fn of_data(key: &str, data: &Dataset, quiet: bool) {
    if quiet {
        return;
    }
    if !data.ignored().is_empty() {
        tell!("{key}: {}", data.ignored());
    }
    if let Some(lacking) = data.lacks() {
        tell!("{key}: {lacking}");
    }
}
