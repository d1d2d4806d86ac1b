//! Data sets: every kind of location, what is refused and why, and files that change while in use.
#![allow(clippy::unwrap_used, reason = "all of this crate is tests")]

mod bombs;
mod cifar;
mod class_sets;
mod class_tars;
mod exports;
mod folders;
mod idx_files;
mod ilsvrc;
mod lists;
mod mat_writer;
mod names;
mod passed_over;
mod splits;
mod tar_ends;
mod tar_links;
mod tars;
mod truncation;

#[path = "../skip/mod.rs"]
#[allow(dead_code, reason = "each test target lacks its part")]
mod skip;

use std::fs;
use std::path::Path;

use pipeline::dataset::{Dataset, Encoded};

/// Writes files that contain their own path, so that mixed-up samples are detected.
fn fill(root: &Path, files: &[&str]) {
    for file in files {
        let path = root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }
}

fn open(location: impl AsRef<Path>) -> Dataset {
    Dataset::open(location.as_ref().to_str().unwrap()).unwrap()
}

/// Why a location does not open, with the temporary folder replaced by `ROOT`.
fn refusal(location: impl AsRef<Path>, root: &Path) -> String {
    let error = Dataset::open(location.as_ref().to_str().unwrap())
        .map(|_| ())
        .unwrap_err();
    error.to_string().replace(root.to_str().unwrap(), "ROOT")
}

fn ids(dataset: &Dataset) -> Vec<String> {
    (0..dataset.len()).map(|i| dataset.id(i).to_string()).collect()
}

/// The bytes of a file sample as text.
fn text(dataset: &Dataset, i: usize) -> String {
    let mut scratch = Vec::new();
    match dataset.read(i, &mut scratch).unwrap() {
        Encoded::File(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        Encoded::Grey { .. } | Encoded::Rgb { .. } => panic!("not a file"),
    }
}
