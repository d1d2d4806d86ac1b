//! Tars of class folders and of class tars.

use super::archives::{flags_and_tar, tar, tar_of_kinds};
use super::data::examine;
use super::{Target, place};

pub(super) const TARGET: Target = Target {
    name: "tar",
    run,
    seeds,
    words: &[
        b"ustar\0",
        b"ustar  \0",
        b"././@LongLink",
        b"GNU.sparse.major=1\n",
        b"../",
        b"/",
        b"\0",
        b".tar",
        b".jpg",
        b"0000000",
        b"7777777",
        b"30 mtime=1.5\n",
        b"19 path=../x/y.jpg\n",
    ],
    memory: 32 << 20,
};

/// The first byte: whether the header checksums are corrected, and which folder of the tar is opened.
fn run(bytes: &[u8]) {
    let Some((flags, tar)) = flags_and_tar(bytes) else {
        return;
    };
    let folder = place::empty().join("d");
    place::write(&folder.join("x.tar"), &tar);
    let inside = if flags & 2 == 2 { "/train" } else { "" };
    examine(&format!("{}/x.tar{inside}", folder.display()), &folder);
}

fn seeds() -> Vec<Vec<u8>> {
    let long = format!("b/{}.jpg", "n".repeat(120));
    let class = |name: &str| tar(&[(&format!("{name}_1.JPEG"), name.as_bytes()), ("2.jpg", b"two")]);
    let (cat, dog) = (class("cat"), class("dog"));
    let folders = tar(&[
        ("a/1.jpg", b"one"),
        ("./b/sub/2.png", b"two"),
        (&long, b"three"),
        ("a/x.txt", b""),
    ]);
    let seeds = [
        (1, folders.clone()),
        (
            3,
            tar(&[
                ("train/a/1.jpg", b"one"),
                ("train/b/2.jpg", b"two"),
                ("val/a/1.jpg", b""),
            ]),
        ),
        (1, tar(&[("cat.tar", &cat), ("dog.tar", &dog)])),
        (1, tar(&[("a/1.jpg", b"old"), ("b/1.jpg", b"b"), ("a/1.jpg", b"new")])),
        (1, tar(&[("../a/1.jpg", b"one"), ("b/1.jpg", b"two")])),
        (1, tar(&[("a/\x1b[2J\n.jpg", b"one"), ("b/\u{202e}.jpg", b"two")])),
        (1, tar_of_kinds()),
        (0, folders[..folders.len() - 700].to_vec()),
        (0, [&folders[..], &folders[..]].concat()),
    ];
    seeds
        .into_iter()
        .map(|(flags, tar)| [vec![flags], tar].concat())
        .collect()
}
