//! What is worth knowing of a data set before it is used: a line each on stderr.

use crate::dataset::Dataset;
use crate::observe::terminal::tell;

/// Tells which files of the set called `key` are passed over, and which classes it has no image of.
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
