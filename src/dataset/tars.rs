//! A folder of tars: WebDataset shards, or one tar per class.

use std::path::PathBuf;

use super::listing::Listing;
use super::shards::Shards;
use super::{DatasetError, class_tars, tar, webdataset};

/// Lists the tars of a folder: WebDataset shards if the first tar has labels, else class tars.
pub(super) fn list(location: &str, files: &[PathBuf]) -> Result<(Vec<String>, Listing, Shards), DatasetError> {
    let is_shard = match files.first() {
        Some(first) => webdataset::class_of_a_key(&tar::open(first)?.1).is_some(),
        None => false,
    };
    if is_shard {
        webdataset::list(location, files)
    } else {
        class_tars::list_folder(location, files)
    }
}
