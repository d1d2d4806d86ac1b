//! List files.

use std::fs;

use pipeline::dataset::export;

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
            "ROOT/l.tsv, line 2: \"2.jpg\" has no label; write the path, a tab or space, and the label",
        ),
        (
            "# x\n3.jpg b\n",
            "ROOT/l.tsv, line 2: 3.jpg: No such file or directory (os error 2); paths are relative to",
        ),
        (
            "a 1.jpg/x",
            "ROOT/l.tsv, line 1: \"1.jpg/x\" cannot be the name of a class: it contains a /; the path comes first",
        ),
        (
            "1.jpg ..\n2.jpg b",
            "ROOT/l.tsv, line 1: \"..\" cannot be the name of a class: it leads to another folder",
        ),
        (
            "1.jpg 0\n2.jpg 2",
            "ROOT/l.tsv: labels start at 0, but 1 of them have no image: 1; every label",
        ),
        (
            "1.jpg 1\n2.jpg 2",
            "ROOT/l.tsv: labels start at 0, but 1 of them have no image: 0; the smallest label is 1: subtract 1",
        ),
        (
            "1.jpg 0\n2.jpg 999",
            "ROOT/l.tsv: labels start at 0, but 998 of them have no image: 1, 2, 3, 4, 5 and 993 more;",
        ),
        ("1.jpg 0\n2.jpg 123456", "ROOT/l.tsv: the label 123456 is too large"),
        ("", "ROOT/l.tsv: the list has no samples"),
        ("# a.jpg b\n\n", "ROOT/l.tsv: the list has no samples"),
    ] {
        fs::write(root.path().join("l.tsv"), list).unwrap();
        let got = refusal(root.path().join("l.tsv"), root.path());
        assert!(got.starts_with(expected), "{got}");
    }
}

#[test]
fn csv_is_read_as_such_and_a_header_is_named() {
    let root = tempfile::tempdir().unwrap();
    fill(root.path(), &["a,b.jpg", "c.jpg"]);
    let path = root.path().join("l.csv");
    fs::write(&path, "\"a,b.jpg\",\"my, cat\"\r\nc.jpg,dog\r\n").unwrap();
    assert_eq!(ids(&open(&path)), ["dog/c.jpg", "my, cat/a,b.jpg"]);
    for (list, expected) in [
        (
            "filename,label\nc.jpg,dog\n",
            "line 1: filename: No such file or directory (os error 2); is line 1 a header? remove it;",
        ),
        (
            "c.jpg,dog\nd.jpg,dog\n",
            "line 2: d.jpg: No such file or directory (os error 2); paths are",
        ),
        (
            "c.jpg,dog\na,b.jpg,cat\n",
            "line 2: it has 3 fields instead of a path and a label; put quotes",
        ),
        (
            "c.jpg dog\n",
            "line 1: \"c.jpg dog\" has no label; write the path, a comma and the label",
        ),
    ] {
        fs::write(&path, list).unwrap();
        let got = refusal(&path, root.path());
        assert!(got.starts_with(&format!("ROOT/l.csv, {expected}")), "{got}");
    }
}

/// Lines that occur twice are two samples with different names, in the order of the lines.
#[test]
fn a_repeated_line_is_another_sample() {
    let root = tempfile::tempdir().unwrap();
    fill(root.path(), &["in/x.jpg", "in/x~2.jpg", "y/x.jpg", "in/l/z.y.png"]);
    let lines = [
        "x.jpg a",
        "./x.jpg a",
        "../y/x.jpg b",
        "x~2.jpg a",
        "x.jpg a",
        "../in/x.jpg a",
        "x.jpg b",
        "l/z.y.png b",
        "l//z.y.png b",
    ];
    let path = root.path().join("in/l.txt");
    fs::write(&path, lines.join("\n")).unwrap();
    let dataset = open(&path);
    let expected = [
        ("a/in/x.jpg", "in/x.jpg"),
        ("a/x.jpg", "in/x.jpg"),
        ("a/x~2.jpg", "in/x~2.jpg"),
        ("a/x~3.jpg", "in/x.jpg"),
        ("a/x~4.jpg", "in/x.jpg"),
        ("b/l/z.y.png", "in/l/z.y.png"),
        ("b/l/z.y~2.png", "in/l/z.y.png"),
        ("b/x.jpg", "in/x.jpg"),
        ("b/y/x.jpg", "y/x.jpg"),
    ];
    assert_eq!(ids(&dataset), expected.map(|(id, _)| id));
    for (i, (_, bytes)) in expected.iter().enumerate() {
        assert_eq!(text(&dataset, i), *bytes);
    }
    assert!(dataset.where_is(4).ends_with("in/./x.jpg") || dataset.where_is(4).ends_with("in/x.jpg"));
    export(&dataset, &root.path().join("out"), 90, |_| ()).unwrap();
    let copy = open(root.path().join("out"));
    assert_eq!((ids(&copy), copy.fingerprint()), (ids(&dataset), dataset.fingerprint()));
}
