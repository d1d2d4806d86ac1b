//! What must hold for every data set, whoever made it.

use std::fs;
use std::path::{Path, PathBuf};

use pipeline::dataset::{Dataset, export};
use pipeline::text;

/// Only the first samples of a larger data set are read.
const MAX_READ: usize = 64;

/// A larger data set is not exported: that would take the time of thousands of inputs.
const MAX_EXPORTED: usize = 6;

/// Opens `location` twice and checks that the result can be relied upon. `folder` holds only the data set; exports are written
/// beside it.
pub fn examine(location: &str, folder: &Path) -> Option<Dataset> {
    let data = match Dataset::open(location) {
        Ok(data) => data,
        Err(error) => {
            fit_for_people(&error.to_string());
            let again = Dataset::open(location).map(|_| ()).unwrap_err();
            assert_eq!(
                error.to_string(),
                again.to_string(),
                "refused for another reason than before"
            );
            return None;
        }
    };
    let again = Dataset::open(location).unwrap();
    assert_eq!(data.fingerprint(), again.fingerprint(), "another data set than before");
    assert!(data.len() > 0, "a data set without samples opens");
    names_are_plain(&data);
    let mut scratch = Vec::new();
    for i in 0..data.len().min(MAX_READ) {
        fit_for_people(&data.where_is(i));
        match data.read(i, &mut scratch) {
            Ok(encoded) => assert_eq!(encoded.bytes().len() as u64, data.bytes(i)),
            Err(error) => fit_for_people(&error.to_string()),
        }
        data.verify(i).unwrap();
        let _ = (data.canonical(i), data.checksum(i), data.member_checksum(i));
    }
    exports_stay_inside(&data, folder);
    Some(data)
}

/// Classes and names become folders and files: each class is one plain path component, each name consists of plain components
/// below it. Samples are in the canonical order, without duplicates.
fn names_are_plain(data: &Dataset) {
    let plain = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains('\0');
    for class in data.classes() {
        assert!(plain(class) && !class.contains('/'), "a class is called {class:?}");
    }
    for pair in data.classes().array_windows::<2>() {
        assert!(pair[0] != pair[1], "two classes are called {:?}", pair[0]);
    }
    let mut before = None;
    for i in 0..data.len() {
        let id = data.id(i);
        assert_eq!(id.class(), data.classes()[data.label(i) as usize]);
        assert!(id.name().split('/').all(plain), "a sample is called {id}");
        let place = (data.label(i), id.name().to_owned());
        assert!(before < Some(place.clone()), "{id} is out of order or a duplicate");
        before = Some(place);
    }
}

/// An export writes only below its folder, one file per sample.
fn exports_stay_inside(data: &Dataset, folder: &Path) {
    if data.len() > MAX_EXPORTED {
        return;
    }
    let out = folder.with_file_name("exported");
    let before = entries(folder.parent().unwrap());
    match export(data, &out, 90, |_| {}) {
        Ok(()) => assert_eq!(files(&out), data.len(), "as many files as samples"),
        Err(error) => {
            fit_for_people(&error.to_string());
            assert!(!out.exists(), "a failed export leaves files");
        }
    }
    let _ = fs::remove_dir_all(&out);
    assert_eq!(
        entries(folder.parent().unwrap()),
        before,
        "an export wrote outside its folder"
    );
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    found.sort();
    found
}

fn files(folder: &Path) -> usize {
    let below = |path: &PathBuf| if path.is_dir() { files(path) } else { 1 };
    entries(folder).iter().map(below).sum()
}

/// A message must be fit for a terminal: one or more lines of visible characters.
pub fn fit_for_people(message: &str) {
    assert!(!message.is_empty(), "an empty error message");
    assert_eq!(text::plain(message), message, "a message acts on the terminal");
}
