//! Sets that are evaluated on a network: their classes are among the network's.

use std::fs;
use std::path::Path;

use pipeline::dataset::Dataset;

use super::{fill, ids};

fn known(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn open_for(location: &Path, classes: &[&str]) -> Result<Dataset, String> {
    Dataset::open_for(location.to_str().unwrap(), &known(classes)).map_err(|error| error.to_string())
}

#[test]
fn a_class_counts_by_its_name_and_keeps_the_number_of_the_run() {
    let root = tempfile::tempdir().unwrap();
    fill(root.path(), &["val/c/1.jpg", "val/a/1.jpg", "val/a/2.jpg"]);
    fs::create_dir(root.path().join("val/empty")).unwrap();
    let data = open_for(&root.path().join("val"), &["a", "b", "c"]).unwrap();
    assert_eq!(data.classes(), ["a", "b", "c"]);
    assert_eq!(ids(&data), ["a/1.jpg", "a/2.jpg", "c/1.jpg"]);
    assert_eq!([0, 1, 2].map(|i| data.label(i)), [0, 0, 2]);
    assert_eq!(data.lacks().unwrap(), "no images of 1 of 3 classes: b");
    // The same names in another order, and one class alone.
    let data = open_for(&root.path().join("val"), &["c", "x", "a"]).unwrap();
    assert_eq!(
        [0, 1, 2].map(|i| (data.label(i), data.id(i).class())),
        [(0, "c"), (2, "a"), (2, "a")]
    );
    fs::remove_dir_all(root.path().join("val/c")).unwrap();
    assert_eq!(open_for(&root.path().join("val"), &["a", "b"]).unwrap().len(), 2);
    assert!(
        Dataset::open(root.path().join("val").to_str().unwrap()).is_err(),
        "to learn from, there must be two"
    );
}

#[test]
fn numbers_count_by_themselves() {
    let root = tempfile::tempdir().unwrap();
    fill(root.path(), &["1.jpg", "2.jpg"]);
    let path = root.path().join("l.txt");
    let numbers: Vec<String> = (0..12).map(|label| label.to_string()).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    fs::write(&path, "1.jpg 2\n2.jpg 10\n").unwrap();
    let data = open_for(&path, &numbers).unwrap();
    assert_eq!([data.label(0), data.label(1)], [2, 10]);
    fs::write(&path, "1.jpg 11\n").unwrap();
    assert_eq!(open_for(&path, &numbers).unwrap().label(0), 11);
    fs::write(&path, "1.jpg 12\n2.jpg 999\n").unwrap();
    let error = open_for(&path, &numbers).unwrap_err();
    let expected =
        "there are images of classes that the run does not have: 12, 999; the run has 0, 1, 2, 3, 4 and 7 more";
    assert!(error.ends_with(expected), "{error}");
    fs::write(&path, "1.jpg cat\n").unwrap();
    assert!(open_for(&path, &numbers).unwrap_err().contains("does not have: cat;"));
}

#[test]
fn unknown_classes_are_named_at_most_five() {
    let root = tempfile::tempdir().unwrap();
    let files: Vec<String> = (0..9).map(|i| format!("c{i}/1.jpg")).collect();
    fill(root.path(), &files.iter().map(String::as_str).collect::<Vec<_>>());
    let error = open_for(root.path(), &["c1", "b"]).unwrap_err();
    assert!(
        error.contains("does not have: c0, c2, c3, c4, c5 and 3 more; the run has c1, b"),
        "{error}"
    );
    let splits = tempfile::tempdir().unwrap();
    fill(splits.path(), &["train/a/1.jpg", "val/a/1.jpg"]);
    assert!(
        open_for(splits.path(), &["a", "b"])
            .unwrap_err()
            .contains("its folders are splits (train, val)")
    );
    assert!(
        open_for(splits.path(), &["train", "val"]).is_ok(),
        "where these are the classes, they are"
    );
    fs::create_dir_all(splits.path().join("none/a")).unwrap();
    let error = open_for(&splits.path().join("none"), &["a", "b"]).unwrap_err();
    assert!(error.contains("contains no images"), "{error}");
}
