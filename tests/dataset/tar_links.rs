//! Links in tars: either they read as they would unpack, or they are refused by name.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use pipeline::dataset::Dataset;
use proptest::prelude::*;

use super::{ids, open, refusal, text};

/// A member of a test tar.
enum Member<'a> {
    File(&'a str, &'a str),
    Hard(&'a str, &'a str),
    Soft(&'a str, &'a str),
}
use Member::{File, Hard, Soft};

/// Writes `root/x.tar`.
fn tar(root: &Path, members: &[Member<'_>]) -> PathBuf {
    let path = root.join("x.tar");
    let mut builder = tar::Builder::new(fs::File::create(&path).unwrap());
    for member in members {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        match member {
            File(name, bytes) => {
                header.set_size(bytes.len() as u64);
                builder.append_data(&mut header, name, bytes.as_bytes()).unwrap();
            }
            Hard(name, target) | Soft(name, target) => {
                let is_hard = matches!(member, Hard(..));
                header.set_entry_type(if is_hard {
                    tar::EntryType::Link
                } else {
                    tar::EntryType::Symlink
                });
                header.set_size(0);
                builder.append_link(&mut header, name, target).unwrap();
            }
        }
    }
    builder.finish().unwrap();
    path
}

#[test]
fn links_have_the_bytes_that_unpacking_gives() {
    let root = tempfile::tempdir().unwrap();
    let members = [
        File("pool/1.bin", "one"),
        File("train/a/1.jpg", "first"),
        Hard("train/a/2.jpg", "train/a/1.jpg"),
        Hard("train/a/3.jpg", "./train/a/2.jpg"),
        Soft("train/a/4.jpg", "3.jpg"),
        Soft("train/a/5.jpg", "../../pool/./1.bin"),
        Soft("train/a/notes.txt", "1.jpg"),
        // A class of links only; the target of a symbolic link may come later.
        Soft("train/b/1.jpg", "../a/9.jpg"),
        Hard("train/b/2.jpg", "train/b/1.jpg"),
        Soft("shortcut", "train/a"),
        Soft("train/b/3.jpg", "../../shortcut/4.jpg"),
        // A hard link keeps the earlier contents of its target.
        File("train/a/1.jpg", "second"),
        Hard("train/b/4.jpg", "train/a/1.jpg"),
        File("train/a/9.jpg", "nine"),
        // Hidden or outside the folder, so these links are not followed.
        Soft("train/.hidden", "nowhere"),
        Soft("other/dead.jpg", "nowhere"),
    ];
    let dataset = open(tar(root.path(), &members).join("train"));
    let expected = [
        ("a/1.jpg", "second"),
        ("a/2.jpg", "first"),
        ("a/3.jpg", "first"),
        ("a/4.jpg", "first"),
        ("a/5.jpg", "one"),
        ("a/9.jpg", "nine"),
        ("b/1.jpg", "nine"),
        ("b/2.jpg", "nine"),
        ("b/3.jpg", "first"),
        ("b/4.jpg", "second"),
    ];
    assert_eq!(ids(&dataset), expected.map(|(id, _)| id));
    for (i, (id, bytes)) in expected.iter().enumerate() {
        assert_eq!(text(&dataset, i), *bytes, "{id}");
    }
    assert_eq!(dataset.ignored().to_string(), "1 other file is ignored: 1 .txt");
}

#[test]
fn links_that_lead_to_no_file_are_refused_by_name() {
    let root = tempfile::tempdir().unwrap();
    let cases = [
        (Hard("a/2.jpg", "a/9.jpg"), "a/9.jpg, which is not in the tar"),
        (Hard("a/2.jpg", "b/1.jpg"), "b/1.jpg, which is not an earlier member"),
        (Hard("a/2.jpg", "../a/1.jpg"), "../a/1.jpg, which is outside of the tar"),
        (
            Hard("a/2.jpg", "/etc/passwd"),
            "/etc/passwd, which is outside of the tar",
        ),
        (Soft("a/2.jpg", "9.jpg"), "9.jpg, which is not in the tar"),
        (Soft("a/2.jpg", "1.jpg/x"), "1.jpg/x, which is not in the tar"),
        (
            Soft("a/2.jpg", "../../a/1.jpg"),
            "../../a/1.jpg, which is outside of the tar",
        ),
        (
            Soft("a/2.jpg", "/etc/passwd"),
            "/etc/passwd, which is outside of the tar",
        ),
        (Soft("a/2.jpg", "2.jpg"), "2.jpg, in a chain of links that is circular"),
        (Soft("a/2.jpg", "../b"), "../b, which is a folder"),
        (Soft("c", "a"), "a, which is a folder"),
        (
            Soft("a/2\u{1b}.jpg", "\u{1b}[2J"),
            "\\u{1b}[2J, which is not in the tar",
        ),
    ];
    for (link, expected) in cases {
        let path = tar(root.path(), &[File("a/1.jpg", "x"), link, File("b/1.jpg", "y")]);
        let got = refusal(&path, root.path());
        assert!(
            got.starts_with("ROOT/x.tar: member ") && got.contains(&format!(" is a link to {expected}")),
            "{got}"
        );
        assert!(!got.contains('\u{1b}'), "{got}");
    }
}

#[test]
fn chains_are_followed_so_far_and_no_further() {
    let root = tempfile::tempdir().unwrap();
    let chain = |length: usize, is_hard: bool| {
        let names: Vec<String> = (0..=length).map(|i| format!("a/{i:04}.jpg")).collect();
        let mut members = vec![File("b/1.jpg", "y"), File("a/0000.jpg", "end")];
        let targets: Vec<String> = (0..length).map(|i| format!("{i:04}.jpg")).collect();
        for i in 0..length {
            members.push(if is_hard {
                Hard(&names[i + 1], &names[i])
            } else {
                Soft(&names[i + 1], &targets[i])
            });
        }
        let path = tar(root.path(), &members);
        Dataset::open(path.to_str().unwrap()).map(|data| text(&data, length))
    };
    for is_hard in [false, true] {
        assert_eq!(chain(40, is_hard).unwrap(), "end");
        assert!(chain(2000, is_hard).unwrap_err().to_string().contains("longer than 40"));
    }
}

/// Classes made of links to a few files, as some shard writers do it.
#[test]
fn members_of_shards_may_be_links() {
    let root = tempfile::tempdir().unwrap();
    let members = [
        File("0.cls", "0"),
        File("0.jpg", "x"),
        File("1.cls", "1"),
        Hard("1.jpg", "0.jpg"),
        Soft("2.cls", "1.cls"),
        File("2.jpg", "y"),
    ];
    let folder = root.path().join("s");
    fs::create_dir(&folder).unwrap();
    tar(&folder, &members);
    let dataset = open(&folder);
    assert_eq!(ids(&dataset), ["0/x/0.jpg", "1/x/1.jpg", "1/x/2.jpg"]);
    assert_eq!([0, 1, 2].map(|i| text(&dataset, i)), ["x", "x", "y"]);
}

/// A file in a folder, or a link to an earlier one.
#[derive(Clone, Debug)]
enum Made {
    File(usize),
    Hard(usize),
    Soft(usize),
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// For any folder of files and links, its tar made by GNU tar has the same images.
    #[test]
    fn a_tar_of_a_folder_is_the_folder(
        made in prop::collection::vec(prop_oneof![
            (0usize..3).prop_map(Made::File),
            (0usize..100).prop_map(Made::Hard),
            (0usize..100).prop_map(Made::Soft),
        ], 3..20),
    ) {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("set");
        let mut paths: Vec<String> = Vec::new();
        for (i, made) in made.iter().enumerate() {
            let class = match made { Made::File(class) => *class, Made::Hard(n) | Made::Soft(n) => n % 3 };
            let path = format!("{}/{i}.jpg", ["a", "b/deep", "c"][class]);
            let full = folder.join(&path);
            fs::create_dir_all(full.parent().unwrap()).unwrap();
            let before = |n: usize| (!paths.is_empty()).then(|| paths[n % paths.len()].clone());
            match made {
                Made::Hard(n) if before(*n).is_some() => fs::hard_link(folder.join(before(*n).unwrap()), &full).unwrap(),
                Made::Soft(n) if before(*n).is_some() => {
                    let up = "../".repeat(path.matches('/').count());
                    symlink(format!("{up}{}", before(*n).unwrap()), &full).unwrap();
                }
                _ => fs::write(&full, format!("bytes {i}")).unwrap(),
            }
            paths.push(path);
        }
        prop_assume!(["a", "b", "c"].iter().filter(|class| folder.join(class).is_dir()).count() > 1);
        let output = Command::new("tar").arg("-cf").arg(root.path().join("x.tar")).arg("-C").arg(&folder).arg(".").output();
        prop_assert!(output.unwrap().status.success());
        let open = |path: PathBuf| Dataset::open(path.to_str().unwrap()).ok();
        let (unpacked, packed) = (open(folder), open(root.path().join("x.tar")));
        // A second name of a symbolic link may be dangling in its own folder.
        prop_assert_eq!(unpacked.is_some(), packed.is_some());
        let (Some(unpacked), Some(packed)) = (unpacked, packed) else { return Ok(()) };
        prop_assert_eq!(ids(&unpacked), ids(&packed));
        for i in 0..packed.len() {
            prop_assert_eq!(text(&unpacked, i), text(&packed, i));
        }
    }
}
