//! What a user may write as the location of a data set.

use std::path::Path;

use super::data::fit_for_people;
use super::{Target, place};
use pipeline::dataset::Dataset;

pub(super) const TARGET: Target = Target {
    name: "location",
    run,
    seeds,
    words: &[
        b"{",
        b"..",
        b"}",
        b".tar",
        b"idx:",
        b"cifar:",
        b"ilsvrc:",
        b"/train",
        b"0000",
        b"18446744073709551615",
        b"99999999",
    ],
    memory: 32 << 20,
};

/// The first byte: the scheme before a folder of this test. Then the text after the folder.
fn run(bytes: &[u8]) {
    let Some((scheme, rest)) = bytes.split_first() else {
        return;
    };
    let Ok(rest) = str::from_utf8(rest) else { return };
    // Not outside the folder.
    if Path::new(rest)
        .components()
        .any(|part| part == std::path::Component::ParentDir)
        || rest.contains('\0')
    {
        return;
    }
    let folder = place::empty().join("d");
    place::write(&folder.join("a/1.jpg"), b"one");
    let scheme = ["", "idx:", "cifar:", "ilsvrc:"][usize::from(scheme % 4)];
    match Dataset::open(&format!("{scheme}{}/{rest}", folder.display())) {
        Ok(data) => drop(data.fingerprint()),
        Err(error) => fit_for_people(&error.to_string()),
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let digits = format!("\0x-{{0..{}}}.tar", "9".repeat(300));
    let wide = format!("\0x-{{{}..1}}.tar", "0".repeat(70_000));
    [
        "\0",
        "\0a",
        "\0x.tar/train",
        "\0x-{000000..000009}.tar",
        "\x01t",
        "\x02train",
        "\x03val",
        "\0a/1.jpg",
        "\0\n\x1b[2J",
        &digits,
        &wide,
    ]
    .map(|seed| seed.as_bytes().to_vec())
    .into()
}
