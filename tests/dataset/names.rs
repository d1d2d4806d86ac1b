//! Whatever names a data set uses, they become paths inside the chosen folder, never outside it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use pipeline::dataset::{Below, Dataset, export};
use proptest::prelude::*;

use super::{cifar, fill};

/// A tar with a member name that the builder would refuse.
fn raw_tar(path: &Path, members: &[(&[u8], &[u8])]) {
    let mut builder = tar::Builder::new(fs::File::create(path).unwrap());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        let room = name.len().min(100);
        header.as_old_mut().name[..room].copy_from_slice(&name[..room]);
        header.set_cksum();
        builder.append(&header, *bytes).unwrap();
    }
    builder.finish().unwrap();
}

/// Everything in a folder except `left_out`, with the contents of files.
fn all(folder: &Path, left_out: &[&Path]) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if left_out.contains(&&*path) {
            continue;
        }
        if path.is_dir() {
            found.extend(all(&path, left_out));
            found.insert(path, None);
        } else {
            let contents = fs::read(&path).unwrap();
            found.insert(path, Some(contents));
        }
    }
    found
}

/// Opens a location and, if that succeeds, exports it and quarantines every sample. Nothing outside those two folders may
/// change.
fn writes_below_only(root: &Path, location: &str) -> Result<(), TestCaseError> {
    let (out, quarantine) = (root.join("w/w/out"), root.join("w/w/run/quarantine/train"));
    fs::create_dir_all(&quarantine).unwrap();
    let left_out = [&*out, &*quarantine];
    let before = all(root, &left_out);
    match Dataset::open(location) {
        Err(error) => {
            let text = error.to_string();
            prop_assert!(!text.contains(char::is_control), "{text:?}");
        }
        Ok(data) => {
            let exported = export(&data, &out, 90, |_| ());
            // A name may also be the folder of another, or longer than the system allows.
            let _ = exported.map_err(|error| assert!(!error.to_string().contains(char::is_control)));
            let mut below = Below::new(quarantine.clone());
            for i in 0..data.len() {
                let id = data.id(i);
                prop_assert!(id.path_below(&quarantine).starts_with(&quarantine));
                prop_assert!(
                    !id.path_below(&quarantine)
                        .components()
                        .any(|part| part.as_os_str() == "..")
                );
                prop_assert!(
                    !id.to_string().contains(char::is_control) && !data.where_is(i).contains(char::is_control)
                );
                let _ = below.write(id, b"bad");
            }
        }
    }
    prop_assert!(before == all(root, &left_out), "something else was written");
    Ok(())
}

/// Names composed of pieces that could do harm.
fn name() -> impl Strategy<Value = String> {
    let pieces = [
        "..",
        ".",
        "/",
        "a",
        "b",
        "\\",
        "\u{1b}[2J",
        "~2",
        " ",
        "\t",
        "C:",
        "\u{202e}",
        "w",
        "out",
        "%2E",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 1..6).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn of_tars(class in name(), sample in name(), other in name()) {
        let root = tempfile::tempdir().unwrap();
        fill(root.path(), &["w/precious", "precious", "a", "b"]);
        let path = root.path().join("w/x.tar");
        let full = format!("{class}/{sample}.jpg");
        raw_tar(&path, &[(full.as_bytes(), b"x"), (b"a/1.jpg", b"x"), (b"b/1.jpg", b"x")]);
        writes_below_only(root.path(), path.to_str().unwrap())?;
        // As the name of a class tar, and inside one.
        let inner = root.path().join("w/inner.tar");
        raw_tar(&inner, &[(format!("{sample}{other}.jpg").as_bytes(), b"x"), (b"1.jpg", b"x")]);
        let inner = fs::read(inner).unwrap();
        raw_tar(&path, &[(format!("{class}.tar").as_bytes(), &inner), (b"k.tar", &inner)]);
        writes_below_only(root.path(), path.to_str().unwrap())?;
    }

    #[test]
    fn of_shards(class in name(), key in name()) {
        let root = tempfile::tempdir().unwrap();
        fill(root.path(), &["w/precious", "precious"]);
        let folder = root.path().join("w/s");
        fs::create_dir(&folder).unwrap();
        let (image, label) = (format!("{key}.jpg"), format!("{key}.cls"));
        raw_tar(&folder.join("...tar"), &[(image.as_bytes(), b"x"), (label.as_bytes(), class.as_bytes())]);
        raw_tar(&folder.join("y.tar"), &[(b"1.jpg", b"x"), (b"1.cls", class.as_bytes()), (b"2.jpg", b"x"), (b"2.cls", b"k")]);
        writes_below_only(root.path(), folder.to_str().unwrap())?;
        fs::remove_file(folder.join("...tar")).unwrap();
        writes_below_only(root.path(), folder.to_str().unwrap())?;
    }

    #[test]
    fn of_lists(class in name(), up in 0usize..4, is_absolute: bool, is_csv: bool) {
        let root = tempfile::tempdir().unwrap();
        fill(root.path(), &["w/w/in/x.jpg", "w/w/x.jpg", "w/x.jpg", "x.jpg", "w/precious"]);
        let path = format!("{}x.jpg", "../".repeat(up.min(3)));
        let path = if is_absolute { root.path().join("x.jpg").to_str().unwrap().to_owned() } else { path };
        let list = root.path().join(if is_csv { "w/w/in/l.csv" } else { "w/w/in/l.txt" });
        let separator = if is_csv { "," } else { "\t" };
        fs::write(&list, format!("{path}{separator}{class}\nx.jpg{separator}k\n{path}{separator}k\n")).unwrap();
        writes_below_only(root.path(), list.to_str().unwrap())?;
    }

    #[test]
    fn of_folders_and_cifar(class in name(), sample in name()) {
        let root = tempfile::tempdir().unwrap();
        fill(root.path(), &["w/precious", "w/set/k/1.jpg"]);
        let plain = |name: &str| name.replace(['/', '.'], "_");
        let folder = root.path().join("w/set").join(plain(&class));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{}.jpg", plain(&sample))), "x").unwrap();
        writes_below_only(root.path(), root.path().join("w/set").to_str().unwrap())?;
        let folder = root.path().join("w/cifar");
        fs::create_dir(&folder).unwrap();
        cifar::files(&folder);
        fs::write(folder.join("batches.meta.txt"), format!("{class}\n1\n2\n3\n4\n5\n6\n7\n8\n9\n")).unwrap();
        writes_below_only(root.path(), &format!("cifar:{}/test", folder.display()))?;
    }
}

/// Two paths to different files that result in the same name: two samples, and neither file overwrites the other.
#[test]
fn names_that_come_to_the_same_do_not_overwrite_each_other() {
    let root = tempfile::tempdir().unwrap();
    fill(root.path(), &["in/k/x.jpg", "k/x.jpg", "in/y.jpg"]);
    fs::write(root.path().join("in/l.txt"), "k/x.jpg a\n../k/x.jpg a\ny.jpg b\n").unwrap();
    let data = super::open(root.path().join("in/l.txt"));
    export(&data, &root.path().join("out"), 90, |_| ()).unwrap();
    let read = |name: &str| fs::read_to_string(root.path().join("out/a/k").join(name)).unwrap();
    assert_eq!(
        (read("x.jpg"), read("x~2.jpg")),
        ("in/k/x.jpg".to_owned(), "k/x.jpg".to_owned())
    );
}
