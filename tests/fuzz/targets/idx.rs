//! IDX pairs, plain and gzipped.

use super::archives::{gz, joined, parts};
use super::data::examine;
use super::{Target, place};

pub(super) const TARGET: Target = Target {
    name: "idx",
    run,
    seeds,
    words: &[
        &[0, 0, 8, 3],
        &[0, 0, 8, 1],
        &[0xff; 4],
        &[0, 0, 0, 0],
        &[0x80, 0, 0, 0],
        &[0x1f, 0x8b, 8],
    ],
    // A run of zeros inflates to a thousand times its bytes, and is copied while it grows.
    memory: 256 << 20,
};

/// The first byte: which of the two are gzipped. Then the labels after their length, and the images.
fn run(bytes: &[u8]) {
    let Some((flags, rest)) = bytes.split_first() else {
        return;
    };
    let [labels, images] = parts(rest);
    let folder = place::empty().join("d");
    for (bytes, what, bit) in [(labels, "labels-idx1", 1), (images, "images-idx3", 2)] {
        // Gzipped here, so that a mutation changes the contents; or unchanged under the name of a gzipped file.
        let (name, bytes) = match (flags & bit != 0, flags & 4 != 0) {
            (false, _) => (format!("t-{what}-ubyte"), bytes.to_vec()),
            (true, false) => (format!("t-{what}-ubyte.gz"), gz(bytes)),
            (true, true) => (format!("t-{what}-ubyte.gz"), bytes.to_vec()),
        };
        place::write(&folder.join(name), &bytes);
    }
    examine(&format!("idx:{}/t", folder.display()), &folder);
}

fn idx(sizes: &[u32], bytes: &[u8]) -> Vec<u8> {
    let sizes = sizes.iter().flat_map(|size| size.to_be_bytes());
    [
        vec![0, 0, 8, sizes.clone().count() as u8 / 4],
        sizes.collect(),
        bytes.to_vec(),
    ]
    .concat()
}

fn seeds() -> Vec<Vec<u8>> {
    let (labels, images) = (idx(&[3], &[1, 0, 1]), idx(&[3, 1, 2], &[10, 11, 20, 21, 30, 31]));
    let zipped = (gz(&labels), gz(&images));
    [
        (0, joined(&[&labels, &images])),
        (3, joined(&[&labels, &images])),
        (7, joined(&[&zipped.0, &zipped.1])),
        (0, joined(&[&labels, &idx(&[3, 65536, 65536], &[0])])),
        (0, joined(&[&idx(&[0], &[]), &idx(&[0, 1, 1], &[])])),
        (0, joined(&[&labels, &idx(&[3, 0, 7], &[])])),
    ]
    .into_iter()
    .map(|(flags, data)| [vec![flags], data].concat())
    .collect()
}
