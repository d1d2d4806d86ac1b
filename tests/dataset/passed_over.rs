//! Which names are images, and what is reported about all other files.

use std::fs;

use super::ilsvrc::{class_tar, tar};
use super::{fill, ids, open, refusal};

#[test]
fn images_by_their_names_and_the_rest_by_extension() {
    let root = tempfile::tempdir().unwrap();
    let images = [
        "a/1.jfif", "a/2.JPE", "a/3.JPEG", "a/4.Png", "b/5.jpg", "b/6.webp", "b/7.TIFF", "b/8.bmp",
    ];
    fill(root.path(), &images);
    let others = ["a/x.JPG_large", "a/y", "a/z.txt", "b/.hidden.jpg", "b/q.TXT", "top.md"];
    fill(root.path(), &others);
    let dataset = open(root.path());
    assert_eq!(ids(&dataset), images);
    let told = "5 other files are ignored: 2 .txt, 1 without an extension, 1 .jpg_large, 1 .md";
    assert_eq!(dataset.ignored().to_string(), told);
    // The same in a tar.
    let all: Vec<(&str, &[u8])> = images.iter().chain(&others).map(|name| (*name, &b"x"[..])).collect();
    fs::write(root.path().join("x.tar"), tar(&all)).unwrap();
    let dataset = open(root.path().join("x.tar"));
    assert_eq!(
        (ids(&dataset), dataset.ignored().to_string()),
        (images.map(str::to_owned).into(), told.to_owned())
    );
}

#[test]
fn a_class_of_other_files_says_which() {
    let root = tempfile::tempdir().unwrap();
    fill(root.path(), &["a/1.jpg", "b/1.heic", "b/2.HEIC", "b/x.xml", "c/1.jpg"]);
    fs::create_dir(root.path().join("d")).unwrap();
    let got = refusal(root.path(), root.path());
    assert!(
        got.starts_with("ROOT: no images in 2 of its classes: b, d (files other than .jpg, "),
        "{got}"
    );
    assert!(
        got.contains(" were ignored: 3 in b (2 .heic, 1 .xml)); remove them or add images"),
        "{got}"
    );
}

/// A folder of class tars is read like a tar of class tars.
#[test]
fn a_folder_of_class_tars_is_a_tar_of_them() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("set");
    fs::create_dir(&folder).unwrap();
    let (cat, dog) = (class_tar("cat", 3), class_tar("dog", 2));
    fs::write(folder.join("cat.tar"), &cat).unwrap();
    fs::write(folder.join("dog.tar"), &dog).unwrap();
    fs::write(root.path().join("x.tar"), tar(&[("cat.tar", &cat), ("dog.tar", &dog)])).unwrap();
    let (dataset, inside) = (open(&folder), open(root.path().join("x.tar")));
    assert_eq!(
        (ids(&dataset), dataset.fingerprint()),
        (ids(&inside), inside.fingerprint())
    );
    assert_eq!(
        (dataset.kind(), dataset.classes().join(" ")),
        ("class tars", "cat dog".to_owned())
    );
    for i in 0..dataset.len() {
        assert_eq!(super::text(&dataset, i), dataset.id(i).name());
        assert_eq!(dataset.canonical(i), i as u32);
    }
    assert!(
        dataset.where_is(4).ends_with("set/dog.tar, key dog_1.JPEG"),
        "{}",
        dataset.where_is(4)
    );
    fs::write(folder.join("loose.jpg"), "x").unwrap();
    assert_eq!(open(&folder).ignored().to_string(), "1 other file is ignored: 1 .jpg");
    // A class's images may be in one folder of the tar; with several folders, the folders are the classes.
    fs::write(folder.join("fox.tar"), tar(&[("fox/1.jpg", b"x"), ("fox/2.jpg", b"x")])).unwrap();
    assert_eq!(ids(&open(&folder))[5..], ["fox/fox/1.jpg", "fox/fox/2.jpg"]);
    fs::write(folder.join("fox.tar"), tar(&[("a/1.jpg", b"x"), ("b/1.jpg", b"x")])).unwrap();
    let got = refusal(&folder, root.path());
    assert!(
        got.starts_with("ROOT/set/fox.tar: contains images in 2 folders (a, b), so it is not a class tar;"),
        "{got}"
    );
    fs::remove_file(folder.join("fox.tar")).unwrap();
    // Shards and class tars do not mix.
    fs::write(folder.join("emu.tar"), tar(&[("1.jpg", b"x"), ("1.cls", b"0")])).unwrap();
    let got = refusal(&folder, root.path());
    assert!(
        got.starts_with("ROOT/set/emu.tar: contains 1.cls, as WebDataset shards do, but ROOT/set/cat.tar"),
        "{got}"
    );
}

#[test]
fn shards_that_say_their_labels_otherwise_are_told_what_is_wanted() {
    let root = tempfile::tempdir().unwrap();
    let refused = |members: &[(&str, &[u8])], names: &[&str]| {
        let folder = root.path().join("s");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        for name in names {
            fs::write(folder.join(name), tar(members)).unwrap();
        }
        refusal(&folder, root.path())
    };
    let got = refused(
        &[("0.input.jpg", b"x"), ("0.target.cls", b"0"), ("1.input.jpg", b"x")],
        &["s-0.tar"],
    );
    let told = "ROOT/s: no image has a label: there are 3 members without a label: 2 .input.jpg, 1 .target.cls; expected KEY.cls";
    assert!(got.starts_with(told), "{got}");
    let got = refused(&[("0.jpg", b"x"), ("0.json", b"{}"), ("0.txt", b"a cat")], &["s-0.tar"]);
    let told = "ROOT/s/s-0.tar: key 0 has an image, but there is no 0.cls with its class (other members of the key: json, txt; labels are read from";
    assert!(got.starts_with(told) && !got.contains("copy it again"), "{got}");
    // Several tars without any label are parts of one set, not classes.
    let got = refused(&[("a.jpg", b"x"), ("b.jpg", b"x")], &["x-000000.tar", "x-000001.tar"]);
    assert!(
        got.starts_with("ROOT/s: no image has a label: there are images without KEY.cls in 2 tars"),
        "{got}"
    );
}

#[test]
fn compressed_tars_are_named_as_such() {
    let root = tempfile::tempdir().unwrap();
    fill(root.path(), &["gz/s-0.tar.gz", "gz/README", "zst/a.TAR.ZST"]);
    for folder in ["gz", "zst"] {
        let got = refusal(root.path().join(folder), root.path());
        let told =
            format!("ROOT/{folder}: it contains compressed tars, which cannot be read in place: decompress them first");
        assert!(got.starts_with(&told), "{got}");
    }
}
