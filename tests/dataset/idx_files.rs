//! IDX pairs.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::{Compression, write::GzEncoder};
use pipeline::dataset::Encoded;

use super::{ids, open, refusal};
use crate::skip::{self, Need};

fn idx(sizes: &[u32], bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0, 0, 8, sizes.len() as u8];
    for size in sizes {
        out.extend(size.to_be_bytes());
    }
    out.extend(bytes);
    out
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

/// Three images of 2x1 with labels 1, 0, 1; the image file is gzipped.
fn pair(root: &Path) {
    fs::write(
        root.join("t-images-idx3-ubyte.gz"),
        gz(&idx(&[3, 1, 2], &[10, 11, 20, 21, 30, 31])),
    )
    .unwrap();
    fs::write(root.join("t-labels-idx1-ubyte"), idx(&[3], &[1, 0, 1])).unwrap();
}

#[test]
fn samples_are_sorted_by_label_and_keep_their_pixels() {
    let root = tempfile::tempdir().unwrap();
    pair(root.path());
    let dataset = open(format!("idx:{}/t", root.path().display()));
    assert_eq!(ids(&dataset), ["0/00000001", "1/00000000", "1/00000002"]);
    for (i, pixels) in [[20, 21], [10, 11], [30, 31]].iter().enumerate() {
        let expected = Encoded::Grey {
            width: 2,
            height: 1,
            pixels,
        };
        assert_eq!(dataset.read(i, &mut Vec::new()).unwrap(), expected);
    }
    assert!(
        dataset.where_is(0).ends_with("t-images-idx3-ubyte.gz, image 1"),
        "{}",
        dataset.where_is(0)
    );
}

#[test]
fn contradictions_are_named() {
    let root = tempfile::tempdir().unwrap();
    let location = format!("idx:{}/t", root.path().display());
    assert!(refusal(&location, root.path()).contains("no t-images-idx3-ubyte or t-images-idx3-ubyte.gz in ROOT"));
    let images = "t-images-idx3-ubyte.gz";
    let labels = "t-labels-idx1-ubyte";
    for (file, bytes, expected) in [
        (
            images,
            gz(&idx(&[3, 1, 2], &[1; 5])),
            "its header claims [3, 1, 2], 6 bytes, but it has 5; download it again",
        ),
        (
            images,
            gz(&idx(&[3, 1, 2], &[1; 7])),
            "its header claims [3, 1, 2], 6 bytes, but it has more",
        ),
        (
            images,
            gz(&idx(&[3], &[1; 3])),
            "begins with [0, 0, 8, 1], but an IDX file of bytes in 3 dimensions begins with [0, 0, 8, 3]",
        ),
        (
            images,
            gz(&idx(&[u32::MAX; 3], &[])),
            "which exceeds the limit of 1073741824 bytes",
        ),
        (images, idx(&[3, 1, 2], &[1; 6]), "cannot be read: invalid gzip header"),
        (images, gz(&idx(&[3, 0, 2], &[])), "its images have 2x0 pixels"),
        (
            labels,
            idx(&[2], &[0, 1]),
            "has 2 labels, but ROOT/t-images-idx3-ubyte.gz has 3 images",
        ),
        (
            labels,
            idx(&[3], &[0, 2, 2]),
            "labels start at 0, but 1 of them have no image: 1;",
        ),
    ] {
        pair(root.path());
        fs::write(root.path().join(file), bytes).unwrap();
        let got = refusal(&location, root.path());
        assert!(got.contains(expected), "{got}");
    }
}

/// Debian's package dataset-fashion-mnist, if it is installed.
#[test]
fn fashion_mnist_opens() {
    let folder = "/usr/share/datasets/fashion-mnist";
    if !Path::new(folder).is_dir() {
        return skip::for_lack_of(Need::FashionMnist, &format!("{folder} is not there"));
    }
    let dataset = open(format!("idx:{folder}/t10k"));
    assert_eq!(
        (dataset.len(), dataset.classes().len(), &*dataset.classes()[9]),
        (10_000, 10, "9-ankle-boot")
    );
    assert!((0..10_000).all(|i| dataset.label(i) as usize == i / 1000));
}
