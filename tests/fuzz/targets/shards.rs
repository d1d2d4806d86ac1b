//! WebDataset shards of other writers.

use super::archives::{flags_and_tar, tar};
use super::data::examine;
use super::{Target, place};

pub(super) const TARGET: Target = Target {
    name: "shards",
    run,
    seeds,
    words: &[
        b".cls",
        b".jpg",
        b".jpeg",
        b".ppm",
        b".json",
        b"../",
        b"..",
        b"/etc",
        b"999",
        b"4294967295",
        b"ustar\0",
    ],
    memory: 32 << 20,
};

/// The first byte: whether the header checksums are corrected, and whether there is a second shard.
fn run(bytes: &[u8]) {
    let Some((flags, tar)) = flags_and_tar(bytes) else {
        return;
    };
    let folder = place::empty().join("d");
    place::write(&folder.join("x-000000.tar"), &tar);
    if flags & 2 == 2 {
        place::write(&folder.join("x-000001.tar"), &whole(["0", "1"]));
    }
    let location = if flags & 4 == 4 { "/x-{000000..000000}.tar" } else { "" };
    examine(&format!("{}{location}", folder.display()), &folder);
}

fn whole(classes: [&str; 2]) -> Vec<u8> {
    let [a, b] = classes.map(str::as_bytes);
    tar(&[
        ("1.jpg", b"one"),
        ("1.cls", a),
        ("dir.v1/2.x.png", b"two"),
        ("2.jpeg", b"three"),
        ("2.cls", b),
    ])
}

fn seeds() -> Vec<Vec<u8>> {
    let seeds = [
        (1, whole(["0", "1"])),
        (3, whole(["1", "0"])),
        (5, whole(["cat", "dog"])),
        (1, whole(["..", "dog"])),
        (1, whole(["/tmp/x", "99999"])),
        (
            1,
            tar(&[
                ("a/1.jpg", b"one"),
                ("a/1.cls", b"1\n"),
                ("../b/2.jpg", b"two"),
                ("../b/2.cls", b"0"),
            ]),
        ),
        (
            1,
            tar(&[("1.input.jpg", b"one"), ("1.target.cls", b"1"), ("1.json", b"{}")]),
        ),
        (0, whole(["0", "1"])[..1024].to_vec()),
    ];
    seeds
        .into_iter()
        .map(|(flags, tar)| [vec![flags], tar].concat())
        .collect()
}
