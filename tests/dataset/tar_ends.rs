//! The end of a tar: complete, cut, padded, or followed by another tar.

use std::fs;
use std::path::Path;

use pipeline::dataset::Dataset;
use proptest::prelude::*;

use super::ilsvrc::{class_tar, tar};
use super::{open, refusal};

const BLOCK: usize = 512;

/// Two classes of images with these sizes: some fill their blocks, some do not.
fn of_sizes(sizes: &[usize]) -> Vec<u8> {
    let names: Vec<String> = (0..sizes.len())
        .map(|i| format!("{}/{i}.jpg", ["a", "b"][i % 2]))
        .collect();
    let bytes: Vec<Vec<u8>> = sizes.iter().map(|&size| vec![7; size]).collect();
    let members: Vec<(&str, &[u8])> = names
        .iter()
        .zip(&bytes)
        .map(|(name, bytes)| (&**name, &**bytes))
        .collect();
    tar(&members)
}

fn len(path: &Path) -> Option<usize> {
    Dataset::open(path.to_str().unwrap()).ok().map(|data| data.len())
}

/// The number of zero bytes at the end of a tar.
fn zeros_behind(bytes: &[u8]) -> usize {
    bytes.iter().rev().take_while(|&&byte| byte == 0).count() / BLOCK * BLOCK
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Wherever a tar is cut, either all of its images are found or it is refused by name.
    #[test]
    fn a_cut_tar_opens_with_all_images_or_not_at_all(sizes in prop::collection::vec(1usize..1400, 2..6)) {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("x.tar");
        let whole = of_sizes(&sizes);
        let end = whole.len() - zeros_behind(&whole);
        for length in (0..=whole.len()).step_by(37).chain((0..=whole.len()).step_by(BLOCK)) {
            fs::write(&path, &whole[..length]).unwrap();
            let found = len(&path);
            prop_assert!(found.is_none_or(|found| found == sizes.len()), "cut to {} of {}: {:?}", length, whole.len(), found);
            // One block of zeros is enough, as for GNU tar.
            prop_assert_eq!(found.is_some(), length >= end + BLOCK, "cut to {} of {}", length, whole.len());
        }
        // Zeros may follow, as in padded records and on devices; anything else may not.
        for more in [BLOCK, 10_240, 100_000] {
            let mut padded = [&whole[..], &vec![0; more]].concat();
            fs::write(&path, &padded).unwrap();
            prop_assert_eq!(len(&path), Some(sizes.len()));
            let last = padded.len() - 1;
            padded[last] = 1;
            fs::write(&path, &padded).unwrap();
            prop_assert_eq!(len(&path), None);
        }
        fs::write(&path, [&whole[..], &whole[..]].concat()).unwrap();
        prop_assert_eq!(len(&path), None);
    }
}

#[test]
fn each_wrong_end_has_its_reason() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x.tar");
    let whole = of_sizes(&[100, 100, 100, 100]);
    let holes = [&whole[..2 * 1024], &[0; 1024], &whole[3 * 1024..]].concat();
    for (bytes, expected) in [
        (
            &whole[..4 * 1024],
            "it ends after b/3.jpg without the end-of-archive blocks",
        ),
        (
            &whole[..2 * 1024],
            "it ends after b/1.jpg without the end-of-archive blocks",
        ),
        (&whole[..4 * 1024 - 100], "it is truncated in the padding after b/3.jpg"),
        (&whole[..4 * 1024 - 500], "member b/3.jpg needs 100 bytes"),
        (&[], "it is empty (0 bytes)"),
        (
            &[&whole[..], &whole[..]].concat(),
            "bytes follow the end of the archive, from byte 5120 on; if tars were joined",
        ),
        // A download with a gap in the middle.
        (&holes, "bytes follow the end of the archive, from byte 3072 on"),
    ] {
        fs::write(&path, bytes).unwrap();
        let got = refusal(&path, root.path());
        assert!(
            got.starts_with("ROOT/x.tar: damaged tar: ") && got.contains(expected),
            "{got}"
        );
    }
    fs::write(&path, [0; 10_240]).unwrap();
    assert!(refusal(&path, root.path()).starts_with("ROOT/x.tar: there are no class folders (it is empty)"));
}

/// The same for tars inside a tar, and for shards, where one damaged file among many is easily missed.
#[test]
fn tars_inside_of_tars_and_shards_end_too() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path();
    let (a, b) = (class_tar("a", 3), class_tar("b", 2));
    let cut = &a[..2 * 2 * BLOCK];
    let joined = [&a[..], &b[..]].concat();
    for (inner, expected) in [
        (cut, "it ends after a_1.JPEG without"),
        (&joined, "bytes follow the end"),
    ] {
        fs::write(path.join("x.tar"), tar(&[("a.tar", inner), ("b.tar", &b)])).unwrap();
        let got = refusal(path.join("x.tar"), path);
        assert!(
            got.starts_with("ROOT/x.tar, member a.tar: damaged tar: ") && got.contains(expected),
            "{got}"
        );
    }
    let shard = |i: usize| {
        let names = [
            format!("{i}.jpg"),
            format!("{i}.cls"),
            format!("{i}x.jpg"),
            format!("{i}x.cls"),
        ];
        tar(&[
            (&names[0], b"i"),
            (&names[1], b"0"),
            (&names[2], b"i"),
            (&names[3], b"1"),
        ])
    };
    let folder = path.join("shards");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("s-0.tar"), shard(0)).unwrap();
    for (bytes, expected) in [
        (&[][..], "it is empty (0 bytes)"),
        (&shard(1)[..2 * 2 * BLOCK], "it ends after 1.cls without"),
        (&shard(1).repeat(2), "bytes follow the end"),
    ] {
        fs::write(folder.join("s-1.tar"), bytes).unwrap();
        let got = refusal(&folder, path);
        assert!(
            got.starts_with("ROOT/shards/s-1.tar: damaged tar: ") && got.contains(expected),
            "{got}"
        );
    }
    fs::write(folder.join("s-1.tar"), shard(1)).unwrap();
    assert_eq!(open(&folder).len(), 4);
}

/// Huge headers without contents: refused within bounded memory.
#[test]
fn a_member_described_by_megabytes_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x.tar");
    for kind in [
        tar::EntryType::XHeader,
        tar::EntryType::GNULongName,
        tar::EntryType::GNULongLink,
    ] {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(3 << 20);
        header.set_cksum();
        builder.append(&header, &vec![b'a'; 3 << 20][..]).unwrap();
        let mut bytes = builder.into_inner().unwrap();
        bytes.truncate(bytes.len() - 2 * BLOCK);
        bytes.extend(of_sizes(&[1, 1]));
        fs::write(&path, bytes).unwrap();
        let got = refusal(&path, root.path());
        assert!(got.contains("the headers of a member exceed 1048576 bytes"), "{got}");
    }
    // Readers disagree on where the next header is.
    for kind in [
        tar::EntryType::Link,
        tar::EntryType::Symlink,
        tar::EntryType::Directory,
        tar::EntryType::Fifo,
    ] {
        let mut bytes = of_sizes(&[600, 600]);
        let mut header = tar::Header::from_byte_slice(&bytes[..BLOCK]).clone();
        header.set_entry_type(kind);
        header.set_cksum();
        bytes[..BLOCK].copy_from_slice(header.as_bytes());
        fs::write(&path, bytes).unwrap();
        let got = refusal(&path, root.path());
        assert!(
            got.contains("member a/0.jpg is a folder, a link or a device, but claims 600 bytes"),
            "{got}"
        );
    }
}
