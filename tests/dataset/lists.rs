//! List files.

use std::fs;

use super::{fill, ids, open, refusal, text};

#[test]
fn names_as_classes() {
    let root = tempfile::tempdir().unwrap();
    fill(root.path(), &["p/my cat.jpg", "p/dog.jpg", "q/no extension"]);
    let list = "\u{feff}# a comment\n\np/my cat.jpg\tcat\r\np/dog.jpg   dog\nq/no extension\tcat\n";
    fs::write(root.path().join("l.txt"), list).unwrap();
    let dataset = open(root.path().join("l.txt"));
    assert_eq!(dataset.classes(), ["cat", "dog"]);
    assert_eq!(
        ids(&dataset),
        ["cat/p/my cat.jpg", "cat/q/no extension", "dog/p/dog.jpg"]
    );
    assert_eq!(text(&dataset, 1), "q/no extension");
}

#[test]
fn numbers_as_labels_keep_their_order() {
    let root = tempfile::tempdir().unwrap();
    let files: Vec<String> = (0..12).map(|i| format!("{i}.jpg")).collect();
    fill(root.path(), &files.iter().map(String::as_str).collect::<Vec<_>>());
    let list = (0..12)
        .rev()
        .map(|i| format!("{i}.jpg,{i}"))
        .collect::<Vec<_>>()
        .join("\n");
    fs::write(root.path().join("l.csv"), list).unwrap();
    let dataset = open(root.path().join("l.csv"));
    assert_eq!(dataset.classes()[10], "10");
    assert!((0..12).all(|i| dataset.label(i) == i as u32 && text(&dataset, i) == format!("{i}.jpg")));
}

#[test]
fn wrong_lines_are_named() {
    let root = tempfile::tempdir().unwrap();
    fill(root.path(), &["1.jpg", "2.jpg"]);
    for (list, expected) in [
        (
            "1.jpg a\n2.jpg\n",
            "ROOT/l.tsv, line 2: \"2.jpg\" has no label; write the path, a tab or blank, and the label",
        ),
        (
            "# x\n3.jpg b\n",
            "ROOT/l.tsv, line 2: 3.jpg: No such file or directory (os error 2); paths are relative to",
        ),
        (
            "a 1.jpg/x",
            "ROOT/l.tsv, line 1: the class name \"1.jpg/x\" has a / in it",
        ),
        (
            "1.jpg a\n1.jpg a\n2.jpg b",
            "ROOT/l.tsv: sample \"a/1.jpg\" occurs twice; keep one of them",
        ),
        ("1.jpg 0\n2.jpg 2", "ROOT/l.tsv: no images in 1 of its classes: 1;"),
        ("1.jpg 0\n2.jpg 123456", "ROOT/l.tsv: the label 123456 is too large"),
        ("", "ROOT/l.tsv: holds no class folders"),
    ] {
        fs::write(root.path().join("l.tsv"), list).unwrap();
        let got = refusal(root.path().join("l.tsv"), root.path());
        assert!(got.starts_with(expected), "{got}");
    }
}
