//! Tars of class tars.

use std::fs;

use super::ilsvrc::{class_tar, tar};
use super::{open, refusal};

#[test]
fn a_tar_beside_class_folders_is_no_class() {
    let root = tempfile::tempdir().unwrap();
    let plain = root.path().join("x.tar");
    fs::write(
        &plain,
        tar(&[("a/1.jpg", b"x"), ("b/1.jpg", b"x"), ("c.tar", b"no tar")]),
    )
    .unwrap();
    let dataset = open(&plain);
    assert_eq!((dataset.classes().len(), dataset.ignored().count()), (2, 1));
}

#[test]
fn damaged_and_hostile_inner_tars_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path();
    let good = class_tar("b", 2);
    let mut hostile = class_tar("a", 1);
    let mut header = tar::Header::from_byte_slice(&hostile[..512]).clone();
    header.as_old_mut().name[..9].copy_from_slice(b"../x.JPEG");
    header.as_old_mut().name[9..].fill(0);
    header.set_cksum();
    hostile[..512].copy_from_slice(header.as_bytes());
    let mut large = class_tar("a", 1);
    let mut header = tar::Header::from_byte_slice(&large[..512]).clone();
    header.set_size(6000);
    header.set_cksum();
    large[..512].copy_from_slice(header.as_bytes());
    let mut sparse = class_tar("a", 1);
    let mut header = tar::Header::from_byte_slice(&sparse[..512]).clone();
    header.set_entry_type(tar::EntryType::GNUSparse);
    header.set_cksum();
    sparse[..512].copy_from_slice(header.as_bytes());
    for (inner, expected) in [
        (
            &hostile[..],
            "ROOT/x.tar, member a.tar: refused: the member name \"../x.JPEG\" is absolute or leaves",
        ),
        // Its image would extend into the next class's tar, and so still be within the file.
        (
            &large,
            "ROOT/x.tar, member a.tar: damaged tar: member a_0.JPEG needs 6000 bytes from byte 512, but the tar ends at 2048",
        ),
        (&sparse, "ROOT/x.tar, member a.tar: damaged tar: "),
        (
            &good[..700],
            "ROOT/x.tar, member a.tar: damaged tar: it is truncated: 700 bytes are not a whole number of blocks of 512",
        ),
        (&good[..513], "ROOT/x.tar, member a.tar: damaged tar: "),
        (b"no tar", "ROOT/x.tar, member a.tar: damaged tar: "),
        (b"", "ROOT/x.tar, member a.tar: damaged tar: it is empty (0 bytes)"),
    ] {
        fs::write(path.join("x.tar"), tar(&[("a.tar", inner), ("b.tar", &good)])).unwrap();
        let got = refusal(path.join("x.tar"), path);
        assert!(got.starts_with(expected), "{got}");
    }
}
