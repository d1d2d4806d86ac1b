//! Export: any data set as class folders.

use std::fs;

use pipeline::dataset::{Encoded, export};
use pipeline::stages::decode::{Decoder, Frame, Options, Region};

use super::{fill, ids, open, text};

#[test]
fn files_are_copied_and_nothing_is_left_beside() {
    let root = tempfile::tempdir().unwrap();
    fill(root.path(), &["set/a/x/1.jpg", "set/b/2.png"]);
    let dataset = open(root.path().join("set"));
    let mut told = Vec::new();
    export(&dataset, &root.path().join("out"), 90, |done| told.push(done)).unwrap();
    let copy = open(root.path().join("out"));
    assert_eq!((ids(&copy), copy.fingerprint()), (ids(&dataset), dataset.fingerprint()));
    assert_eq!(text(&copy, 0), "set/a/x/1.jpg");
    assert_eq!(told, [1, 2]);
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 2);
    let error = export(&dataset, &root.path().join("out"), 90, |_| ())
        .unwrap_err()
        .to_string();
    assert!(
        error.ends_with("out: the folder exists and is not empty; choose another folder or remove it"),
        "{error}"
    );
}

#[test]
fn a_failed_export_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    fill(root.path(), &["set/a/1.jpg", "set/b/2.jpg"]);
    let dataset = open(root.path().join("set"));
    fs::remove_file(root.path().join("set/b/2.jpg")).unwrap();
    let error = export(&dataset, &root.path().join("out"), 90, |_| ())
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("b/2.jpg: ") && error.contains("No such file"),
        "{error}"
    );
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
}

#[test]
fn grey_pixels_become_jpegs_of_the_same_picture() {
    let root = tempfile::tempdir().unwrap();
    let pixels: Vec<u8> = (0..2 * 16 * 8).map(|i| (i % 128) as u8 + 60).collect();
    let mut images = b"\0\0\x08\x03\0\0\0\x02\0\0\0\x08\0\0\0\x10".to_vec();
    images.extend(&pixels);
    fs::write(root.path().join("t-images-idx3-ubyte"), images).unwrap();
    fs::write(root.path().join("t-labels-idx1-ubyte"), b"\0\0\x08\x01\0\0\0\x02\x01\0").unwrap();
    let dataset = open(format!("idx:{}/t", root.path().display()));
    export(&dataset, &root.path().join("out"), 95, |_| ()).unwrap();
    let copy = open(root.path().join("out"));
    assert_eq!(ids(&copy), ["0/00000001.jpg", "1/00000000.jpg"]);
    let mut scratch = Vec::new();
    let encoded = copy.read(1, &mut scratch).unwrap();
    assert!(matches!(encoded, Encoded::File(_)));
    let mut decoder = Decoder::new(Options::default()).unwrap();
    let frame = decoder.open(encoded).unwrap();
    assert_eq!(frame, Frame { width: 16, height: 8 });
    let mut rgb = vec![0; 3 * 16 * 8];
    decoder.pixels(encoded, Region::whole(frame), &mut rgb).unwrap();
    assert!(
        rgb.chunks(3)
            .zip(&pixels)
            .all(|(rgb, &grey)| rgb.iter().all(|value| value.abs_diff(grey) < 8))
    );
}
