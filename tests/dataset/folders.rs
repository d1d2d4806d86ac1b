//! Class folders.

use std::fs;
use std::os::unix::ffi::OsStrExt;

use super::{fill, ids, open, refusal, text};

#[test]
fn canonical_order_is_by_class_and_name_bytes() {
    let root = tempfile::tempdir().unwrap();
    let files = [
        "b/2.jpg",
        "b/10.JPEG",
        "a/z.png",
        "a/B.jpg",
        "a/sub/deep/x.jpeg",
        "a/é.jpg",
        "B/1.jpg",
    ];
    fill(root.path(), &files);
    fill(
        root.path(),
        &["b/.hidden.jpg", ".git/x.jpg", "b/notes.txt", "README.md", "a/Thumbs.db"],
    );
    let dataset = open(root.path());
    assert_eq!(dataset.classes(), ["B", "a", "b"]);
    let expected = [
        "B/1.jpg",
        "a/B.jpg",
        "a/sub/deep/x.jpeg",
        "a/z.png",
        "a/é.jpg",
        "b/10.JPEG",
        "b/2.jpg",
    ];
    assert_eq!(ids(&dataset), expected);
    assert_eq!(
        (0..7).map(|i| dataset.label(i)).collect::<Vec<_>>(),
        [0, 1, 1, 1, 1, 2, 2]
    );
    assert!(
        (0..7).all(|i| text(&dataset, i) == expected[i]),
        "each id has its own bytes"
    );
    let ignored = "3 other files are ignored: 1 .db, 1 .md, 1 .txt";
    assert_eq!(dataset.ignored().to_string(), ignored);
    assert_eq!(dataset.where_is(6), root.path().join("b/2.jpg").display().to_string());
}

#[test]
fn fingerprint_sees_names_labels_and_lengths_stamp_sees_times_too() {
    let root = tempfile::tempdir().unwrap();
    fill(root.path(), &["a/1.jpg", "b/2.jpg"]);
    let before = open(root.path());
    assert_eq!(before.fingerprint(), open(root.path()).fingerprint());
    assert_eq!(before.content_stamp(), open(root.path()).content_stamp());
    let file = fs::File::options()
        .write(true)
        .open(root.path().join("a/1.jpg"))
        .unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(before.fingerprint(), open(root.path()).fingerprint());
    assert_ne!(before.content_stamp(), open(root.path()).content_stamp());
    fs::write(root.path().join("a/1.jpg"), "longer than before").unwrap();
    assert_ne!(before.fingerprint(), open(root.path()).fingerprint());
    fill(root.path(), &["a/1.jpg"]);
    fs::rename(root.path().join("a/1.jpg"), root.path().join("a/3.jpg")).unwrap();
    assert_ne!(before.fingerprint(), open(root.path()).fingerprint());
}

#[test]
fn what_cannot_be_learnt_from_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name);
    fill(
        root.path(),
        &[
            "one/a/1.jpg",
            "loose/1.jpg",
            "loose/2.jpg",
            "junk/a/x.txt",
            "junk/b/y.txt",
        ],
    );
    fill(
        root.path(),
        &[
            "splits/train/a/1.jpg",
            "splits/val/a/1.jpg",
            "holes/a/1.jpg",
            "holes/d/1.jpg",
            "file.dat",
            "x.jpg",
        ],
    );
    for folder in ["holes/b", "holes/c/deeper", "empty"] {
        fs::create_dir_all(at(folder)).unwrap();
    }
    for (name, expected) in [
        ("none", "ROOT/none: not found (ROOT exists)"),
        (
            "empty",
            "ROOT/empty: there are no class folders (it is empty); put the images",
        ),
        (
            "loose",
            "ROOT/loose: there are no class folders (it contains 2 files: 2 .jpg); put the images",
        ),
        (
            "one",
            "ROOT/one: there is only one class, \"a\", and a classifier needs two",
        ),
        ("junk", "ROOT/junk: contains no images (files named .jpg, .jpeg, .jpe, "),
        (
            "splits",
            "ROOT/splits: its folders are splits (train, val), not classes; choose one of them, such as ROOT/splits/train",
        ),
        (
            "holes",
            "ROOT/holes: no images in 2 of its classes: b, c; remove them or add images",
        ),
        (
            "file.dat",
            "ROOT/file.dat: it is a file of an unknown kind; a data set is",
        ),
        ("x.jpg", "ROOT/x.jpg: it is one image, not a data set; a data set is"),
    ] {
        let got = refusal(at(name), root.path());
        assert!(got.starts_with(expected), "{got}");
    }
}

#[test]
fn links_are_followed_and_loops_are_refused() {
    let root = tempfile::tempdir().unwrap();
    fill(root.path(), &["real/1.jpg", "set/a/1.jpg"]);
    std::os::unix::fs::symlink(root.path().join("real"), root.path().join("set/b")).unwrap();
    assert_eq!(ids(&open(root.path().join("set"))), ["a/1.jpg", "b/1.jpg"]);
    std::os::unix::fs::symlink(root.path().join("set/a"), root.path().join("set/a/again")).unwrap();
    let got = refusal(root.path().join("set"), root.path());
    assert!(
        got.contains("nested deeper than 16 levels; is it a loop of links?"),
        "{got}"
    );
    fs::remove_file(root.path().join("set/a/again")).unwrap();
    std::os::unix::fs::symlink("nowhere", root.path().join("set/a/dead.jpg")).unwrap();
    let got = refusal(root.path().join("set"), root.path());
    assert!(
        got.starts_with("ROOT/set/a/dead.jpg: cannot be read: No such file"),
        "{got}"
    );
}

#[test]
fn names_must_be_text() {
    let root = tempfile::tempdir().unwrap();
    fill(root.path(), &["a/1.jpg", "b/1.jpg"]);
    fs::write(root.path().join("a").join(std::ffi::OsStr::from_bytes(b"\xff.jpg")), "").unwrap();
    assert_eq!(
        refusal(root.path(), root.path()),
        "ROOT/a/\u{fffd}.jpg: its name is not UTF-8; rename it"
    );
}

#[test]
fn a_file_that_vanishes_is_named() {
    let root = tempfile::tempdir().unwrap();
    fill(root.path(), &["a/1.jpg", "b/1.jpg"]);
    let dataset = open(root.path());
    fs::remove_file(root.path().join("b/1.jpg")).unwrap();
    let error = dataset.read(1, &mut Vec::new()).unwrap_err().to_string();
    assert!(
        error.ends_with("/b/1.jpg: cannot be read: No such file or directory (os error 2)"),
        "{error}"
    );
}
