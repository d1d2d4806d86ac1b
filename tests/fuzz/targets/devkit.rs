//! ILSVRC 2012's development kit: MATLAB's format, the list of labels, and the archive that contains both.

use super::archives::{gz, joined, parts, repair_tar, tar};
use super::data::examine;
use super::mat_writer::{Synset, compress, header, meta};
use super::{Target, place};

pub(super) const TARGET: Target = Target {
    name: "devkit",
    run,
    seeds,
    words: &[
        b"synsets",
        b"ILSVRC2012_ID",
        b"WNID",
        b"num_children",
        b"MI",
        b"IM",
        &[15, 0, 0, 0],
        &[14, 0, 0, 0],
        &[0xff; 4],
        &[0x78, 0x9c],
    ],
    memory: 256 << 20,
};

const META: &str = "ILSVRC2012_devkit_t12/data/meta.mat";
const TRUTH: &str = "ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt";
const SYNSETS: [Synset<'_>; 3] = [(1, "n02119789", 0), (2, "n02100735", 0), (3, "n02083346", 2)];

/// The first byte: 0 for the labels after their length, and `meta.mat`; 1 for the same with the array compressed here; 2 for
/// the archive's tar.
fn run(bytes: &[u8]) {
    let Some((flags, rest)) = bytes.split_first() else {
        return;
    };
    let folder = place::empty().join("d");
    let images = tar(&[
        ("ILSVRC2012_val_00000001.JPEG", b"one"),
        ("ILSVRC2012_val_00000002.JPEG", b"two"),
    ]);
    place::write(&folder.join("ILSVRC2012_img_val.tar"), &images);
    if flags % 3 == 2 {
        let mut archive = rest.to_vec();
        repair_tar(&mut archive);
        place::write(&folder.join("ILSVRC2012_devkit_t12.tar.gz"), &gz(&archive));
    } else {
        let [truth, meta] = parts(rest);
        let meta = if flags % 3 == 1 {
            [header(), compress(meta)].concat()
        } else {
            meta.to_vec()
        };
        place::write(&folder.join(TRUTH), truth);
        place::write(&folder.join(META), &meta);
    }
    examine(&format!("ilsvrc:{}/val", folder.display()), &folder);
}

fn seeds() -> Vec<Vec<u8>> {
    let (zipped, plain) = (meta(&SYNSETS, true), meta(&SYNSETS, false));
    let truth = b"1\n2\n";
    // After the header there is another array, of a fixed length, and then the one that is read.
    let other = 8 + u32::from_le_bytes(plain[132..136].try_into().unwrap()) as usize;
    let array = &plain[128 + other..];
    [
        (0, joined(&[truth, &zipped])),
        (0, joined(&[truth, &plain])),
        (1, joined(&[truth, array])),
        (0, joined(&[b"3\n99999999999\n", &plain])),
        (2, tar(&[(META, &zipped), (TRUTH, truth)])),
        (2, tar(&[(&format!("./{TRUTH}"), truth), ("x", b"y")])),
    ]
    .into_iter()
    .map(|(flags, data)| [vec![flags], data].concat())
    .collect()
}
