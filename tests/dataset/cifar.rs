//! CIFAR-10's binary version.

use std::fs;
use std::path::Path;

use pipeline::dataset::{Encoded, export};
use pipeline::stages::decode::{Decoder, Frame, Options, Region};

use super::{ids, open, refusal};

const PLANE: usize = 32 * 32;
const RECORD: usize = 1 + 3 * PLANE;

const NAMES: &str = "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n";

/// A record whose pixels encode their position and the record's number.
fn record(label: u8, number: usize) -> Vec<u8> {
    let mut out = vec![label];
    for plane in 0..3 {
        out.extend((0..PLANE).map(|at| value(number, plane, at)));
    }
    out
}

/// Smooth, so that its JPEG is close: red grows to the right, green downwards, blue depends on the record.
fn value(number: usize, plane: usize, at: usize) -> u8 {
    let value = match plane {
        0 => 4 * (at % 32),
        1 => 4 * (at / 32),
        _ => 60,
    };
    (value + 8 * (number % 10)) as u8
}

/// Two records per class in the training batches, with labels in turn, and one in the test batch.
pub fn files(root: &Path) {
    for batch in 0..5 {
        let records = (0..4).map(|i| 4 * batch + i).flat_map(|i| record((i % 10) as u8, i));
        fs::write(
            root.join(format!("data_batch_{}.bin", batch + 1)),
            records.collect::<Vec<_>>(),
        )
        .unwrap();
    }
    let records = (0..10).rev().flat_map(|i| record(i, 0));
    fs::write(root.join("test_batch.bin"), records.collect::<Vec<_>>()).unwrap();
    fs::write(root.join("batches.meta.txt"), NAMES).unwrap();
}

fn location(root: &Path, split: &str) -> String {
    format!("cifar:{}/{split}", root.display())
}

#[test]
fn records_keep_their_labels_and_become_interleaved() {
    let root = tempfile::tempdir().unwrap();
    files(root.path());
    let dataset = open(location(root.path(), "train"));
    assert_eq!((dataset.len(), dataset.kind()), (20, "CIFAR-10"));
    assert_eq!(dataset.classes().join("\n"), NAMES.trim());
    for i in 0..20 {
        let number = i / 2 + 10 * (i % 2);
        let name = format!("data_batch_{}/{:05}", number / 4 + 1, number % 4);
        assert_eq!(dataset.id(i).name(), name);
        assert_eq!(dataset.label(i) as usize, number % 10);
        let expected: Vec<u8> = (0..PLANE)
            .flat_map(|at| [0, 1, 2].map(|plane| value(number, plane, at)))
            .collect();
        let expected = Encoded::Rgb {
            width: 32,
            height: 32,
            pixels: &expected,
        };
        assert_eq!(dataset.read(i, &mut Vec::new()).unwrap(), expected, "{name}");
        assert!(dataset.verify(i).is_ok());
    }
    let place = dataset.where_is(3).replace(root.path().to_str().unwrap(), "ROOT");
    assert_eq!(place, "ROOT/data_batch_3.bin, record 00003");
    let dataset = open(location(root.path(), "test/"));
    assert_eq!((dataset.len(), &*ids(&dataset)[9]), (10, "truck/test_batch/00000"));
    // Without the file of names, the labels serve as names.
    fs::remove_file(root.path().join("batches.meta.txt")).unwrap();
    assert_eq!(&*ids(&open(location(root.path(), "test")))[9], "9/test_batch/00000");
}

#[test]
fn an_export_is_the_same_pictures_in_class_folders() {
    let root = tempfile::tempdir().unwrap();
    files(root.path());
    let dataset = open(location(root.path(), "train"));
    export(&dataset, &root.path().join("out"), 98, |_| ()).unwrap();
    let copy = open(root.path().join("out"));
    let expected: Vec<String> = ids(&dataset).iter().map(|id| format!("{id}.jpg")).collect();
    assert_eq!((ids(&copy), copy.classes()), (expected, dataset.classes()));
    let mut decoder = Decoder::new(Options::default()).unwrap();
    let mut scratch = Vec::new();
    for i in 0..dataset.len() {
        let mut pixels = [vec![0; 3 * PLANE], vec![0; 3 * PLANE]];
        for (data, out) in [&dataset, &copy].into_iter().zip(&mut pixels) {
            let encoded = data.read(i, &mut scratch).unwrap();
            let frame = decoder.open(encoded).unwrap();
            assert_eq!(frame, Frame { width: 32, height: 32 });
            decoder.pixels(encoded, Region::whole(frame), out).unwrap();
        }
        let worst = pixels[0].iter().zip(&pixels[1]).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(worst < Some(10), "sample {i}: {worst:?}");
    }
}

#[test]
fn what_is_wrong_is_named_with_file_and_record() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path();
    let got = refusal(location(path, "train"), path);
    assert!(
        got.contains("not found (no ROOT/data_batch_1.bin; unpack cifar-10-binary.tar.gz to get it)"),
        "{got}"
    );
    let got = refusal(location(path, "val"), path);
    assert!(
        got.ends_with("no split \"val\"; use cifar:DIR/train or cifar:DIR/test"),
        "{got}"
    );
    let mut label = record(3, 0).repeat(3);
    label[2 * RECORD] = 10;
    let cut = record(3, 0).repeat(3)[..2 * RECORD + 100].to_vec();
    let nine: String = NAMES.lines().take(9).map(|name| format!("{name}\n")).collect();
    for (file, bytes, expected) in [
        (
            "data_batch_4.bin",
            label,
            "ROOT/data_batch_4.bin: record 2 has the label 10, but labels of CIFAR-10 are 0 to 9",
        ),
        (
            "data_batch_2.bin",
            cut,
            "ROOT/data_batch_2.bin: record 2 has 100 bytes instead of 3073: the file is truncated",
        ),
        ("data_batch_5.bin", Vec::new(), "record 0 has 0 bytes instead of 3073"),
        (
            "batches.meta.txt",
            nine.clone().into_bytes(),
            "ROOT/batches.meta.txt: has 9 class names, 9 of them different, instead of 10",
        ),
        (
            "batches.meta.txt",
            format!("{nine}bird").into_bytes(),
            "has 10 class names, 9 of them different",
        ),
        (
            "batches.meta.txt",
            format!("{nine}../x").into_bytes(),
            "\"../x\" cannot be the name of a class or a sample: it contains a /",
        ),
        ("batches.meta.txt", b"\xff".to_vec(), "is not UTF-8"),
    ] {
        files(path);
        fs::write(path.join(file), bytes).unwrap();
        let got = refusal(location(path, "train"), path);
        assert!(got.contains(expected), "{got}");
    }
    files(path);
    fs::remove_file(path.join("data_batch_3.bin")).unwrap();
    let got = refusal(location(path, "train"), path);
    assert!(got.contains("no ROOT/data_batch_3.bin"), "{got}");
}
