//! Small files that claim to be large are refused by name before they fill the memory.

use std::fs;
use std::io::Write;

use flate2::{Compression, write::GzEncoder};

use super::mat_writer::{HEADER, compress};
use super::refusal;

/// `head`, followed by `count` zeros, gzipped.
fn gz(head: &[u8], count: usize) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(head).unwrap();
    let piece = vec![0; 1 << 20];
    for at in (0..count).step_by(piece.len()) {
        out.write_all(&piece[..piece.len().min(count - at)]).unwrap();
    }
    out.finish().unwrap()
}

fn head(sizes: &[u32]) -> Vec<u8> {
    let sizes_bytes = sizes.iter().flat_map(|size| size.to_be_bytes());
    [0, 0, 8, sizes.len() as u8].into_iter().chain(sizes_bytes).collect()
}

#[test]
fn idx_files_that_claim_more_than_is_read_are_refused_by_their_headers() {
    let root = tempfile::tempdir().unwrap();
    let location = format!("idx:{}/t", root.path().display());
    let labels = root.path().join("t-labels-idx1-ubyte");
    let write = |images: &[u32], label_count: u32, is_zipped: bool| {
        let _ = fs::remove_file(root.path().join("t-images-idx3-ubyte"));
        let _ = fs::remove_file(root.path().join("t-images-idx3-ubyte.gz"));
        let name = if is_zipped {
            "t-images-idx3-ubyte.gz"
        } else {
            "t-images-idx3-ubyte"
        };
        let bytes = if is_zipped {
            gz(&head(images), 100)
        } else {
            head(images)
        };
        fs::write(root.path().join(name), bytes).unwrap();
        fs::write(
            &labels,
            [head(&[label_count]), vec![0; label_count.min(1000) as usize]].concat(),
        )
        .unwrap();
        refusal(&location, root.path())
    };
    let got = write(&[1000, 1100, 1100], 1000, true);
    assert!(
        got.contains("claims [1000, 1100, 1100], which exceeds the limit of 1073741824 bytes"),
        "{got}"
    );
    let got = write(&[u32::MAX, u32::MAX, u32::MAX], 1000, false);
    assert!(got.contains("which exceeds the limit of 8589934592 bytes"), "{got}");
    // A side whose square does not fit into 32 bits.
    let got = write(&[1, 70_000, 70_000], 1, false);
    assert!(got.contains("4900000000 bytes, but it has 0"), "{got}");
    let got = write(&[1000, 10, 10], 1000, true);
    assert!(got.contains("100000 bytes, but it has 100"), "{got}");
    // A huge number of one-pixel images: their names would fill the memory.
    fs::remove_file(&labels).unwrap();
    fs::write(root.path().join("t-labels-idx1-ubyte.gz"), gz(&head(&[20_000_000]), 0)).unwrap();
    fs::write(
        root.path().join("t-images-idx3-ubyte.gz"),
        gz(&head(&[20_000_000, 1, 1]), 0),
    )
    .unwrap();
    let got = refusal(&location, root.path());
    assert!(
        got.contains("claims 20000000 images, which exceeds the limit of 16777216"),
        "{got}"
    );
}

/// The limit applies to all parts together.
#[test]
fn a_mat_file_of_many_compressed_parts_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("ILSVRC2012_devkit_t12/data");
    fs::create_dir_all(&data).unwrap();
    fs::write(root.path().join("ILSVRC2012_img_val.tar"), super::ilsvrc::tar(&[])).unwrap();
    fs::write(data.join("ILSVRC2012_validation_ground_truth.txt"), "1\n").unwrap();
    let part = compress(&vec![0; 20 << 20]);
    let mut file = super::mat_writer::header();
    assert_eq!(file.len(), HEADER);
    (0..100).for_each(|_| file.extend(&part));
    fs::write(data.join("meta.mat"), file).unwrap();
    let got = refusal(format!("ilsvrc:{}/val", root.path().display()), root.path());
    assert!(got.contains("it decompresses to more than 64 MiB"), "{got}");
}

#[test]
fn patterns_of_very_many_digits_or_files_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let pattern = |from: &str, to: &str| refusal(root.path().join(format!("x-{{{from}..{to}}}.tar")), root.path());
    for digits in [21, 1000] {
        let zeros = "0".repeat(digits);
        assert!(pattern(&zeros, &zeros).contains("the pattern's numbers have more than 20 digits"));
    }
    // Longer than any path, with digits or with folders: each of them would be looked for.
    let zeros = "0".repeat(70_000);
    let folders = "a/".repeat(35_000);
    for got in [
        pattern(&zeros, &zeros),
        refusal(root.path().join(&folders), root.path()),
    ] {
        assert!(got.contains("bytes, and no path has more than 4096"), "{got}");
        assert!(got.len() < 300, "{got}");
    }
    assert!(pattern("0", "99999999").contains("matches no file, or more than 4096"));
    assert!(pattern("18446744073709551615", "18446744073709551615").contains("is missing"));
    assert!(pattern("0", "99999999999999999999").contains("not found"));
}

/// A manifest, a list or a kit that is a sparse file of a terabyte.
#[test]
fn files_larger_than_their_kind_are_not_read() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("pack");
    fs::create_dir(&folder).unwrap();
    for path in [folder.join("dataset.json"), root.path().join("l.txt")] {
        fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
    }
    for location in [folder, root.path().join("l.txt")] {
        let got = refusal(location, root.path());
        assert!(got.contains("bytes exceed the limit of"), "{got}");
    }
}
