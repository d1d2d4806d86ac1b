//! CIFAR-10's binary version: the class names and a batch.

use super::archives::{joined, parts};
use super::data::examine;
use super::{Target, place};

pub(super) const TARGET: Target = Target {
    name: "cifar",
    run,
    seeds,
    words: &[b"\n", b"\r\n", b"..", b"/", b"\0", b"\x0a"],
    memory: 32 << 20,
};

const RECORD: usize = 1 + 3 * 32 * 32;

/// The names after their length, then the label of each record in one byte. A last byte of 255 truncates the batch by one byte.
fn run(bytes: &[u8]) {
    let [names, labels] = parts(bytes);
    let folder = place::empty().join("d");
    if !names.is_empty() {
        place::write(&folder.join("batches.meta.txt"), names);
    }
    let mut batch = Vec::with_capacity(labels.len() * RECORD);
    for &label in labels.iter().take(40) {
        batch.push(label);
        batch.resize(batch.len() + RECORD - 1, label);
    }
    if labels.last() == Some(&255) {
        batch.pop();
    }
    place::write(&folder.join("test_batch.bin"), &batch);
    examine(&format!("cifar:{}/test", folder.display()), &folder);
}

fn seeds() -> Vec<Vec<u8>> {
    let labels: Vec<u8> = (0..10).collect();
    let names: &[&[u8]] = &[
        b"",
        b"airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n",
        b"..\n.a\nb/c\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n",
        b"a\na\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\n\x1b[2J",
    ];
    let mut seeds: Vec<_> = names.iter().map(|names| joined(&[names, &labels])).collect();
    seeds.push(joined(&[b"", &[0, 1, 10]]));
    seeds.push(joined(&[b"", &[0, 1, 255]]));
    seeds
}
