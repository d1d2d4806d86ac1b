//! WebDataset shards of other writers.

use std::fs::File;
use std::path::Path;

use pipeline::dataset::{Dataset, Encoded};

use crate::given::Given;
use crate::{pack, process};

/// Names and contents.
type Members<'a> = &'a [(&'a str, &'a [u8])];

/// Writes a tar of `members`.
fn tar(path: &Path, members: Members) {
    let mut builder = tar::Builder::new(File::create(path).unwrap());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        // The name as given, even if the crate would refuse it.
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, *bytes).unwrap();
    }
    builder.finish().unwrap();
}

fn ids(data: &Dataset) -> Vec<String> {
    (0..data.len()).map(|i| data.id(i).to_string()).collect()
}

fn refusal(location: &Path) -> String {
    Dataset::open(location.to_str().unwrap())
        .map(|_| ())
        .unwrap_err()
        .to_string()
}

#[test]
fn numbers_are_labels_and_texts_are_names() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    tar(
        &root.join("x-0001.tar"),
        &[
            ("0000.jpg", b"a"),
            ("0000.cls", b"1\n"),
            ("0000.json", b"{}"),
            ("0001.PNG", b"b"),
            ("0001.cls", b"0"),
        ],
    );
    tar(
        &root.join("x-0002.tar"),
        &[
            ("0000.cls", b"0"),
            ("0000.jpeg", b"c"),
            ("dir.v1/a.b.ppm", b"?"),
            ("._0000.jpg", b"?"),
        ],
    );
    let data = Dataset::open(root.to_str().unwrap()).unwrap();
    assert_eq!(data.classes(), ["0", "1"].map(str::to_owned));
    assert_eq!(
        ids(&data),
        ["0/x-0001/0001.PNG", "0/x-0002/0000.jpeg", "1/x-0001/0000.jpg"]
    );
    assert_eq!(data.kind(), "WebDataset shards");
    let mut scratch = Vec::new();
    assert_eq!(data.read(1, &mut scratch).unwrap(), Encoded::File(b"c"));
    assert_eq!((data.canonical(2), data.checksum(2)), (2, None));
    let pattern = root.join("x-{0001..0002}.tar");
    assert_eq!(ids(&Dataset::open(pattern.to_str().unwrap()).unwrap()), ids(&data));
    assert!(refusal(&root.join("x-{0001..0003}.tar")).contains("x-0003.tar is missing"));

    let named = tempfile::tempdir().unwrap();
    let members: [(&str, &[u8]); 4] = [("a.jpg", b"a"), ("a.cls", b"dog"), ("b.jpg", b"b"), ("b.cls", b"cat")];
    tar(&named.path().join("y.tar"), &members);
    let data = Dataset::open(named.path().to_str().unwrap()).unwrap();
    assert_eq!(ids(&data), ["cat/y/b.jpg", "dog/y/a.jpg"]);
}

#[test]
fn what_is_wrong_is_named_with_shard_and_key() {
    let cases: [(Members, &str); 6] = [
        (
            &[("a.jpg", b"a"), ("b.cls", b"1")],
            "key a has an image, but there is no a.cls",
        ),
        (
            &[("a.jpg", b"a"), ("a.png", b"a"), ("a.cls", b"1")],
            "member a.png is a second image for its key",
        ),
        (&[("a.cls", b"\xff\xfe")], "member a.cls is neither a number nor a name"),
        (&[("a.cls", b"../up")], "member a.cls is neither a number nor a name"),
        (
            &[("../a.jpg", b"a"), ("../a.cls", b"1")],
            "is absolute or leaves the archive",
        ),
        (&[("/etc/a.jpg", b"a")], "is absolute or leaves the archive"),
    ];
    for (members, text) in cases {
        let folder = tempfile::tempdir().unwrap();
        tar(&folder.path().join("x.tar"), members);
        let error = refusal(folder.path());
        assert!(error.contains(text) && error.contains("x.tar"), "{error}");
    }
    // A header that claims more than the file holds.
    let folder = tempfile::tempdir().unwrap();
    tar(&folder.path().join("x.tar"), &[("a.jpg", &[1; 5000]), ("a.cls", b"1")]);
    let file = File::options().write(true).open(folder.path().join("x.tar")).unwrap();
    file.set_len(2048).unwrap();
    assert!(
        refusal(folder.path()).contains("damaged tar"),
        "{}",
        refusal(folder.path())
    );
}

#[test]
fn a_pack_without_its_manifest_is_shards_like_any_others() {
    let given = Given::new(6, 1);
    pack(
        &given,
        "train",
        "packed",
        &["--mode", "passthrough", "--per-shard", "4"],
    )
    .expect(0);
    std::fs::remove_file(given.path("packed/dataset.json")).unwrap();
    let data = Dataset::open(given.path("packed").to_str().unwrap()).unwrap();
    assert_eq!((data.len(), data.kind()), (18, "WebDataset shards"));
    assert_eq!(data.classes(), ["0", "1", "2"].map(str::to_owned));
    // The validation set has names as classes, the shards have numbers.
    let sets = [
        format!("data.train={}", given.path("packed").display()),
        "data.val=packed".to_owned(),
    ];
    let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
    process::run(&given, &sets).expect(0);
}
