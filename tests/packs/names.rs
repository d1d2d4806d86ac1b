//! Names that would be cut at their dots, lead outside, or are too long for a header.

use std::fs;

use pipeline::dataset::{Dataset, JpegWriter};

use crate::given::Given;
use crate::{files, listed, pack};

/// Writes a small image.
fn image(given: &Given, path: &str) {
    let mut writer = JpegWriter::new(90).unwrap();
    let path = given.path(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let shade = path.display().to_string().len() as u8;
    fs::write(path, writer.rgb(16, 16, &[shade; 768]).unwrap()).unwrap();
}

#[test]
fn odd_names_keep_their_ids_and_get_keys_without_dots() {
    let given = Given::new(1, 1);
    let long = "n".repeat(90);
    let longer = format!("{}/{}", "d".repeat(120), "e".repeat(120));
    let names = [
        "a b/é ü.jpg".to_string(),
        "v1.2/x.y.jpg".to_string(),
        "v1.2/same.jpg".to_string(),
        "v1.2/same.jpeg".to_string(),
        "v1.2/same.jpg.png".to_string(),
        "v1.2/100%.JPEG".to_string(),
        "v1.2/tab\tline\nslash\\.jpg".to_string(),
        format!("{long}/{long}.jpg"),
        format!("long/{longer}.jpg"),
        "__misc__/__a__.jpg".to_string(),
    ];
    for name in &names {
        image(&given, &format!("odd/{name}"));
    }
    pack(&given, "odd", "packed", &["--mode", "passthrough", "--in-order"]).expect(0);
    let mut members = listed(&given.path("packed/train-000000.tar"));
    members.retain(|member| {
        std::path::Path::new(member)
            .extension()
            .is_some_and(|extension| extension == "jpg")
    });
    let expected = [
        // WebDataset skips the folder `__misc__`.
        "%5F_misc__/__a__.jpg".to_string(),
        "a b/é ü.jpg".to_string(),
        format!("long/{longer}.jpg"),
        format!("{long}/{long}.jpg"),
        "v1%2E2/100%25.jpg".to_string(),
        "v1%2E2/same%2Ejpeg.jpg".to_string(),
        "v1%2E2/same%2Ejpg.jpg".to_string(),
        // Its stem is the name of another.
        "v1%2E2/same%2Ejpg%2Epng.jpg".to_string(),
        "v1%2E2/tab%09line%0Aslash\\.jpg".to_string(),
        "v1%2E2/x%2Ey.jpg".to_string(),
    ];
    assert_eq!(members, expected);
    let open = |name: &str| Dataset::open(given.path(name).to_str().unwrap()).unwrap();
    let (source, packed) = (open("odd"), open("packed"));
    assert_eq!(source.len(), packed.len());
    assert_eq!(source.fingerprint(), packed.fingerprint());
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for i in 0..source.len() {
        assert_eq!(source.read(i, &mut a).unwrap(), packed.read(i, &mut b).unwrap());
    }
}

/// Every offset in the `.idx` is that of a member's contents, as the tar crate finds it.
#[test]
fn the_index_gives_the_members_offsets() {
    let given = Given::new(5, 1);
    pack(&given, "train", "packed", &["--size", "24", "--per-shard", "6"]).expect(0);
    let found = files(&given.path("packed"));
    let mut samples = 0;
    for stem in ["train-000000", "train-000001", "train-000002"] {
        let (index, tar) = (&found[&format!("{stem}.idx")], &found[&format!("{stem}.tar")]);
        let mut archive = tar::Archive::new(&tar[..]);
        let places: Vec<(u64, u64, bool)> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let header = entry.header();
                assert_eq!(
                    (header.mtime().unwrap(), header.uid().unwrap(), header.mode().unwrap()),
                    (0, 0, 0o644)
                );
                let is_class = entry.path().unwrap().extension().is_some_and(|e| e == "cls");
                (entry.raw_file_position(), entry.size(), is_class)
            })
            .collect();
        let mut lines = str::from_utf8(index).unwrap().lines();
        assert_eq!(lines.next(), Some(format!("v1.1 {}", places.len() / 2).as_str()));
        for (line, pair) in lines.zip(places.chunks(2)) {
            let [(image, bytes, false), (class, one, true)] = pair else {
                panic!("{pair:?}")
            };
            assert_eq!(line, format!("jpg {image} {bytes} cls {class} {one}"));
            samples += 1;
        }
    }
    assert_eq!(samples, 15);
}

/// Lines that occur more than once in a list are samples with different names, keys and canonical indices.
#[test]
fn a_list_that_repeats_lines_is_packed_and_comes_back() {
    let given = Given::new(3, 1);
    let lines = [
        "train/brick/000.jpg\ta",
        "train/brick/001.jpg\ta",
        "train/brick/000.jpg\ta",
        "./train/brick/000.jpg\ta",
        "train/sky/000.jpg\tb",
        "../DIR/train/sky/000.jpg\tb",
        "train/sky/000.jpg\ta",
    ];
    let folder = given.path("");
    let folder = folder.file_name().unwrap().to_str().unwrap();
    fs::write(given.path("list.tsv"), lines.join("\n").replace("DIR", folder)).unwrap();
    pack(
        &given,
        "list.tsv",
        "packed",
        &["--mode", "passthrough", "--per-shard", "3"],
    )
    .expect(0);
    let open = |name: &str| Dataset::open(given.path(name).to_str().unwrap()).unwrap();
    let (source, packed) = (open("list.tsv"), open("packed"));
    assert_eq!((source.len(), packed.len()), (lines.len(), lines.len()));
    assert_eq!(source.fingerprint(), packed.fingerprint());
    let (mut a, mut b) = (Vec::new(), Vec::new());
    let mut names = std::collections::BTreeSet::new();
    for i in 0..source.len() {
        assert_eq!(source.read(i, &mut a).unwrap(), packed.read(i, &mut b).unwrap());
        assert_eq!((packed.canonical(i), source.id(i)), (i as u32, packed.id(i)));
        names.insert(source.id(i).raw());
    }
    assert_eq!(names.len(), lines.len());
    let members: std::collections::BTreeSet<String> = (0..3)
        .flat_map(|shard| listed(&given.path(&format!("packed/train-{shard:06}.tar"))))
        .collect();
    assert_eq!(members.len(), 2 * lines.len(), "keys differ, for WebDataset as for us");
    // Other tools read the shards without the manifest; for them each is a sample too.
    fs::remove_file(given.path("packed/dataset.json")).unwrap();
    assert_eq!(open("packed").len(), lines.len());
}
