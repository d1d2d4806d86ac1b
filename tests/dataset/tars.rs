//! Tars, read in place.

use std::fs;
use std::path::{Path, PathBuf};

use super::{ids, open, refusal, text};

fn header(size: usize) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(size as u64);
    header.set_mode(0o644);
    header.set_mtime(1);
    header
}

/// A tar of files that contain their own names.
fn tar(root: &Path, members: &[&str]) -> PathBuf {
    let path = root.join("x.tar");
    let mut builder = tar::Builder::new(fs::File::create(&path).unwrap());
    for member in members {
        builder
            .append_data(&mut header(member.len()), member, member.as_bytes())
            .unwrap();
    }
    builder.finish().unwrap();
    path
}

/// A tar with one member name that the builder would refuse.
fn hostile(root: &Path, name: &[u8]) -> PathBuf {
    let path = root.join("x.tar");
    let mut builder = tar::Builder::new(fs::File::create(&path).unwrap());
    let mut header = header(1);
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_cksum();
    builder.append(&header, &b"x"[..]).unwrap();
    builder.finish().unwrap();
    path
}

#[test]
fn class_folders_inside_a_folder_of_a_tar() {
    let root = tempfile::tempdir().unwrap();
    let long = format!("train/b/{}.jpg", "n".repeat(200));
    let members = [
        "./train/b/2.jpg",
        &long,
        "train/a/sub/1.jpg",
        "train/a/._1.jpg",
        "train/a/x.txt",
        "val/a/1.jpg",
        "val/b/1.jpg",
    ];
    let path = tar(root.path(), &members);
    let dataset = open(path.join("train"));
    assert_eq!(dataset.classes(), ["a", "b"]);
    assert_eq!(ids(&dataset), ["a/sub/1.jpg", "b/2.jpg", &long["train/".len()..]]);
    assert!(text(&dataset, 1).ends_with("train/b/2.jpg"));
    assert_eq!(text(&dataset, 2), long);
    assert_eq!(dataset.ignored().to_string(), "1 other file is ignored: 1 .txt");
    assert_eq!(
        dataset.where_is(1),
        format!("shard {}, key train/b/2.jpg", path.display())
    );
    assert_eq!(ids(&open(path.join("val/"))), ["a/1.jpg", "b/1.jpg"]);
    let got = refusal(&path, root.path());
    assert!(got.contains("its folders are splits (train, val)"), "{got}");
    let got = refusal(path.join("test"), root.path());
    assert_eq!(got, "ROOT/x.tar/test: not found (ROOT/x.tar has no folder test)");
}

#[test]
fn the_later_of_two_members_of_one_name_wins() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x.tar");
    let mut builder = tar::Builder::new(fs::File::create(&path).unwrap());
    for (name, bytes) in [("a/1.jpg", "old"), ("b/1.jpg", "b"), ("a/1.jpg", "new")] {
        builder
            .append_data(&mut header(bytes.len()), name, bytes.as_bytes())
            .unwrap();
    }
    builder.finish().unwrap();
    let dataset = open(&path);
    assert_eq!((dataset.len(), text(&dataset, 0)), (2, "new".to_owned()));
}

#[test]
fn hostile_names_are_refused() {
    let root = tempfile::tempdir().unwrap();
    for name in [&b"/etc/a/1.jpg"[..], b"a/../../1.jpg", b".."] {
        let got = refusal(hostile(root.path(), name), root.path());
        let name = String::from_utf8_lossy(name);
        let expected = format!("ROOT/x.tar: refused: the member name {name:?} is absolute or leaves the archive");
        assert!(got.starts_with(&expected), "{got}");
    }
}

#[test]
fn empty_classes_and_damaged_tars_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x.tar");
    let mut builder = tar::Builder::new(fs::File::create(&path).unwrap());
    fs::create_dir(root.path().join("empty")).unwrap();
    builder.append_dir("c", root.path().join("empty")).unwrap();
    for name in ["a/1.jpg", "b/1.jpg"] {
        builder.append_data(&mut header(2000), name, &[7; 2000][..]).unwrap();
    }
    builder.finish().unwrap();
    let got = refusal(&path, root.path());
    assert!(
        got.starts_with("ROOT/x.tar: no images in 1 of its classes: c;"),
        "{got}"
    );
    let whole = fs::read(&path).unwrap();
    // Headers are at 0, 512 (a) and 3072 (b); the contents of b end at 5584.
    for (length, expected) in [
        (
            5000,
            "ROOT/x.tar: damaged tar: member b/1.jpg needs 2000 bytes from byte 3584, but the tar ends at 5000",
        ),
        (
            3300,
            "ROOT/x.tar: damaged tar: failed to read entire block (after a/1.jpg); copy it again",
        ),
        (0, "ROOT/x.tar: "),
    ] {
        fs::write(&path, &whole[..length]).unwrap();
        let got = refusal(&path, root.path());
        assert!(got.starts_with(expected), "{got}");
    }
    let mut flipped = whole;
    flipped[3080] ^= 0x40;
    fs::write(&path, flipped).unwrap();
    let got = refusal(&path, root.path());
    assert!(
        got.starts_with("ROOT/x.tar: damaged tar: archive header checksum mismatch (after a/1.jpg)"),
        "{got}"
    );
    fs::write(root.path().join("y.tar.gz"), "").unwrap();
    let got = refusal(root.path().join("y.tar.gz"), root.path());
    assert!(
        got.contains("a compressed tar cannot be read in place: decompress it first"),
        "{got}"
    );
}
