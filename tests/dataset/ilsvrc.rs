//! ILSVRC 2012 as it is downloaded, and tars of class tars.

use std::fs;
use std::path::Path;

use flate2::{Compression, write::GzEncoder};
use pipeline::dataset::export;
use proptest::prelude::*;

use super::mat_writer::{HEADER, Synset, compress, header, meta};
use super::{ids, open, refusal, text};

const TRAIN: &str = "ILSVRC2012_img_train.tar";
const VAL: &str = "ILSVRC2012_img_val.tar";
const KIT: &str = "ILSVRC2012_devkit_t12.tar.gz";
const META: &str = "ILSVRC2012_devkit_t12/data/meta.mat";
const TRUTH: &str = "ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt";

/// The numbers do not follow the order of the WNIDs. The last synset is no class but a parent of two of them.
const SYNSETS: [Synset<'_>; 4] = [
    (1, "n02119789", 0),
    (2, "n02100735", 0),
    (3, "n02110185", 0),
    (4, "n02083346", 2),
];
const SORTED: [&str; 3] = ["n02100735", "n02110185", "n02119789"];

/// A tar in memory.
pub fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(1);
        builder.append_data(&mut header, name, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

/// The tar of one class, with `images` images whose contents are their names.
pub fn class_tar(class: &str, images: usize) -> Vec<u8> {
    let names: Vec<String> = (0..images).map(|i| format!("{class}_{i}.JPEG")).collect();
    let members: Vec<(&str, &[u8])> = names.iter().map(|name| (&**name, name.as_bytes())).collect();
    tar(&members)
}

fn val_name(i: usize) -> String {
    format!("ILSVRC2012_val_{:08}.JPEG", i + 1)
}

/// The validation tar, its members out of order.
fn val_tar(images: usize) -> Vec<u8> {
    let names: Vec<String> = (0..images).rev().map(val_name).collect();
    let members: Vec<(&str, &[u8])> = names.iter().map(|name| (&**name, name.as_bytes())).collect();
    tar(&members)
}

fn kit(root: &Path, meta: &[u8], truth: &str) {
    let members = [
        ("ILSVRC2012_devkit_t12/readme.txt", &b"x"[..]),
        (META, meta),
        (TRUTH, truth.as_bytes()),
    ];
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    std::io::Write::write_all(&mut gz, &tar(&members)).unwrap();
    fs::write(root.join(KIT), gz.finish().unwrap()).unwrap();
}

/// Three classes with 1, 2 and 3 training images, and four validation images.
fn files(root: &Path) {
    let tars: Vec<(String, Vec<u8>)> = ["n02119789", "n02100735", "n02110185"]
        .iter()
        .enumerate()
        .map(|(i, class)| (format!("{class}.tar"), class_tar(class, i + 1)))
        .collect();
    let members: Vec<(&str, &[u8])> = tars.iter().map(|(name, bytes)| (&**name, &bytes[..])).collect();
    fs::write(root.join(TRAIN), tar(&members)).unwrap();
    fs::write(root.join(VAL), val_tar(4)).unwrap();
    kit(root, &meta(&SYNSETS, true), "3\n1\r\n2\n3\n");
}

fn location(root: &Path, split: &str) -> String {
    format!("ilsvrc:{}/{split}", root.display())
}

#[test]
fn training_images_are_read_out_of_the_tars_inside_of_the_tar() {
    let root = tempfile::tempdir().unwrap();
    files(root.path());
    let dataset = open(location(root.path(), "train"));
    assert_eq!(dataset.classes(), SORTED);
    assert_eq!((dataset.len(), dataset.kind()), (6, "ILSVRC 2012"));
    assert!(dataset.labels_are().unwrap().contains("WNIDs in sorted order"));
    for i in 0..dataset.len() {
        assert_eq!(text(&dataset, i), dataset.id(i).name());
        assert!(dataset.id(i).name().starts_with(dataset.id(i).class()));
        assert!(dataset.verify(i).is_ok());
    }
    let place = dataset.where_is(1).replace(root.path().to_str().unwrap(), "ROOT");
    assert_eq!(place, format!("shard ROOT/{TRAIN}, key n02100735.tar/n02100735_1.JPEG"));
    // The same under another name, also below a folder of the tar.
    let plain = root.path().join("x.tar");
    fs::copy(root.path().join(TRAIN), &plain).unwrap();
    let copy = open(&plain);
    assert_eq!((copy.kind(), copy.labels_are()), ("tar of class tars", None));
    assert_eq!(copy.fingerprint(), dataset.fingerprint());
    let (a, b) = (class_tar("a", 1), class_tar("b", 2));
    fs::write(&plain, tar(&[("t/b.tar", &b), ("t/a.tar", &a), ("t/x.txt", b"")])).unwrap();
    let copy = open(plain.join("t"));
    assert_eq!(ids(&copy), ["a/a_0.JPEG", "b/b_0.JPEG", "b/b_1.JPEG"]);
    assert!(copy.where_is(2).ends_with("x.tar, key t/b.tar/b_1.JPEG"));
    assert_eq!(copy.ignored().count(), 1);
}

#[test]
fn validation_images_have_the_labels_of_the_lines_in_the_order_of_their_names() {
    let root = tempfile::tempdir().unwrap();
    files(root.path());
    let dataset = open(location(root.path(), "val"));
    let expected = [(2, "n02100735"), (0, "n02110185"), (3, "n02110185"), (1, "n02119789")];
    assert_eq!(
        ids(&dataset),
        expected.map(|(i, class)| format!("{class}/{}", val_name(i)))
    );
    assert!((0..4).all(|i| text(&dataset, i) == dataset.id(i).name()));
    assert_eq!(
        dataset.where_is(0).replace(root.path().to_str().unwrap(), "ROOT"),
        format!("shard ROOT/{VAL}, key {}", val_name(2))
    );
    assert_eq!(open(location(root.path(), "train")).classes(), dataset.classes());
    // An unpacked kit takes precedence over the archive; MATLAB's uncompressed files are read too.
    fs::create_dir_all(root.path().join(META).parent().unwrap()).unwrap();
    fs::write(root.path().join(META), meta(&SYNSETS, false)).unwrap();
    let other = open(location(root.path(), "val"));
    assert_eq!(other.fingerprint(), dataset.fingerprint(), "half a kit is ignored");
    fs::write(root.path().join(TRUTH), "1\n1\n2\n3\n").unwrap();
    fs::remove_file(root.path().join(KIT)).unwrap();
    let other = open(location(root.path(), "val"));
    assert_eq!(other.id(2).to_string(), format!("n02119789/{}", val_name(0)));
}

#[test]
fn an_export_of_both_opens_as_class_folders_with_the_same_labels() {
    let root = tempfile::tempdir().unwrap();
    files(root.path());
    for split in ["train", "val"] {
        let dataset = open(location(root.path(), split));
        let out = root.path().join("out").join(split);
        fs::create_dir_all(out.parent().unwrap()).unwrap();
        export(&dataset, &out, 90, |_| ()).unwrap();
        assert_eq!(open(&out).fingerprint(), dataset.fingerprint());
    }
}

#[test]
fn missing_files_are_named() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path();
    let says = |split: &str, expected: &str| {
        let got = refusal(location(path, split), path);
        assert!(got.contains(expected), "{got}");
    };
    says(
        "train",
        &format!("not found (no ROOT/{TRAIN}; download it from image-net.org)"),
    );
    says(
        "val",
        &format!("not found (no ROOT/{VAL}; download it from image-net.org)"),
    );
    says("test", "no split \"test\"; use ilsvrc:DIR/train or ilsvrc:DIR/val");
    fs::create_dir(path.join("train")).unwrap();
    says("train", "or use the class folders in ROOT/train)");
    files(path);
    fs::remove_file(path.join(KIT)).unwrap();
    says(
        "val",
        &format!("no ROOT/{KIT}; download it from image-net.org, or unpack it to ROOT/ILSVRC2012_devkit_t12"),
    );
    fs::create_dir_all(path.join(META).parent().unwrap()).unwrap();
    fs::write(path.join(META), "").unwrap();
    says("val", &format!("neither ROOT/{TRUTH} nor ROOT/{KIT} exists"));
    fs::write(path.join(KIT), "").unwrap();
    says("val", &format!("ROOT/{KIT}: "));
    kit(path, b"", "");
    says(
        "val",
        &format!("ROOT/{KIT}, member {META}: is not a MAT file of level 5"),
    );
    let got = refusal(path.join(VAL), path);
    assert!(
        got.starts_with(&format!("ROOT/{VAL}: there are 4 images but no class folders"))
            && got.contains(
                "open as ilsvrc:DIR/val, with ILSVRC2012_img_val.tar and ILSVRC2012_devkit_t12.tar.gz in DIR"
            ),
        "{got}"
    );
}

#[test]
fn kits_that_contradict_themselves_or_the_images_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path();
    files(path);
    let three = "3\n1\n2\n";
    let a = (1, "n1", 0);
    for (synsets, truth, expected) in [
        (
            &SYNSETS[..],
            three,
            format!("{TRUTH}: has 3 labels, one per line, but ROOT/{VAL} has 4 images"),
        ),
        (
            &SYNSETS,
            "3\n1\n2\n4\n",
            format!("{TRUTH}, line 4: \"4\" is not the ILSVRC2012_ID of one of the 3 classes"),
        ),
        (&SYNSETS, "3\n\n2\n1\n", "line 2: \"\" is not the ILSVRC2012_ID".into()),
        (
            &SYNSETS,
            "3\n3\n2\n2\n",
            "no images in 1 of its classes: n02119789;".into(),
        ),
        (&[a, (2, "n1", 0)], three, "two of its classes have the WNID n1".into()),
        (
            &[a, (1, "n2", 0)],
            three,
            "n1 and n2 have the same ILSVRC2012_ID, 1".into(),
        ),
        (
            &[a, (2, "../n2", 0)],
            three,
            "synset 2 has an invalid WNID, \"../n2\"".into(),
        ),
        (
            &[a, (0, "n2", 0)],
            three,
            "synset n2 has the ILSVRC2012_ID 0, which is not a whole number of at least 1".into(),
        ),
        (
            &[],
            three,
            "line 1: \"3\" is not the ILSVRC2012_ID of one of the 0 classes".into(),
        ),
    ] {
        kit(path, &meta(synsets, true), truth);
        let got = refusal(location(path, "val"), path);
        assert!(got.contains(&expected), "{got}");
    }
}

#[test]
fn a_mat_file_that_cannot_be_used_is_named_with_the_reason() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path();
    files(path);
    let whole = meta(&SYNSETS, false);
    let mut big = whole.clone();
    big[HEADER - 4..HEADER].copy_from_slice(&[1, 0, b'M', b'I']);
    let mut renamed = whole.clone();
    let at = renamed.windows(4).position(|four| four == b"WNID").unwrap();
    renamed[at] = b'X';
    let bomb = [header(), compress(&vec![0; 65 << 20])].concat();
    let wild = [header(), vec![15, 0, 0, 0, 4, 0, 0, 0, 1, 2, 3, 4]].concat();
    for (bytes, expected) in [
        (b"MATLAB".to_vec(), "is not a MAT file of level 5"),
        (big, "is a big-endian MAT file"),
        (
            whole[..whole.len() - 8].to_vec(),
            "is truncated or damaged: an element lacks 8 bytes",
        ),
        (renamed, "its structs have no field \"WNID\""),
        (header(), "has no struct array \"synsets\"; use the data/meta.mat"),
        (bomb, "it decompresses to more than 64 MiB"),
        (wild, "a compressed part of it cannot be decompressed"),
    ] {
        kit(path, &bytes, "1\n");
        let got = refusal(location(path, "val"), path);
        assert!(got.contains(expected), "{got}");
    }
}

/// Opens the validation set with `meta` as meta.mat, which must not panic.
fn survives(root: &Path, meta: &[u8]) {
    fs::write(root.join(META), meta).unwrap();
    if let Ok(dataset) = pipeline::dataset::Dataset::open(&location(root, "val")) {
        assert!((0..dataset.len()).all(|i| (dataset.label(i) as usize) < dataset.classes().len()));
    }
}

fn unpacked(root: &Path) {
    files(root);
    fs::create_dir_all(root.join(META).parent().unwrap()).unwrap();
    fs::write(root.join(TRUTH), "3\n1\n2\n3\n").unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_bytes_make_the_mat_reader_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
        cut in any::<prop::sample::Index>(),
    ) {
        let root = tempfile::tempdir().unwrap();
        unpacked(root.path());
        survives(root.path(), &bytes);
        survives(root.path(), &[header(), bytes.clone()].concat());
        survives(root.path(), &[header(), compress(&bytes)].concat());
        let mut damaged = meta(&SYNSETS, false);
        for (at, value) in changes {
            let length = damaged.len() - HEADER;
            damaged[HEADER + at.index(length)] = value;
        }
        survives(root.path(), &damaged);
        survives(root.path(), &[header(), compress(&damaged[HEADER..])].concat());
        survives(root.path(), &damaged[..cut.index(damaged.len())]);
    }

    #[test]
    fn every_image_gets_the_class_whose_number_its_line_has(
        order in Just((0..12).collect::<Vec<u32>>()).prop_shuffle(),
        extra in prop::collection::vec(0..12_u32, 0..20),
        compressed in any::<bool>(),
    ) {
        let root = tempfile::tempdir().unwrap();
        let wnids: Vec<String> = order.iter().map(|n| format!("n{:08}", 7 * n)).collect();
        let mut synsets: Vec<Synset<'_>> = (1..).zip(&wnids).map(|(id, wnid)| (id, &**wnid, 0)).collect();
        synsets.insert(5, (100, "n99999999", 3));
        // Every class occurs at least once.
        let lines: Vec<u32> = extra.iter().copied().chain(0..12).map(|line| line + 1).collect();
        let truth: String = lines.iter().map(|line| format!("{line}\n")).collect();
        fs::write(root.path().join(VAL), val_tar(lines.len())).unwrap();
        kit(root.path(), &meta(&synsets, compressed), &truth);
        let dataset = open(location(root.path(), "val"));
        prop_assert!(dataset.classes().is_sorted());
        prop_assert_eq!(dataset.len(), lines.len());
        for i in 0..dataset.len() {
            let line = (0..lines.len()).find(|line| val_name(*line) == dataset.id(i).name()).unwrap();
            prop_assert_eq!(dataset.id(i).class(), &wnids[lines[line] as usize - 1]);
        }
    }
}
