//! `inspect --verify` finds what is no more what was written.

use std::fs;

use pipeline::rng::{Philox, Purpose};

use crate::given::Given;
use crate::process::{Ended, Process};
use crate::{files, pack};

fn verify(given: &Given) -> Ended {
    Process::start(&given.path(""), ["inspect", "packed", "--verify"]).wait()
}

#[test]
fn a_flipped_bit_is_found_and_named() {
    let given = Given::new(6, 1);
    pack(&given, "train", "packed", &["--size", "24", "--per-shard", "7"]).expect(0);
    assert!(
        verify(&given)
            .expect(0)
            .stdout
            .contains("all of 18 samples in 3 shards")
    );
    let whole = files(&given.path("packed"));
    let mut random = Philox::new(3, Purpose::Crop, 0, 0);
    for (name, bytes) in &whole {
        for _ in 0..6 {
            let mut damaged = bytes.clone();
            let at = random.below(bytes.len() as u32) as usize;
            damaged[at] ^= 1 << random.below(8);
            fs::write(given.path("packed").join(name), damaged).unwrap();
            let ended = verify(&given);
            // In the manifest a bit may be one of a name, a quality or a reason, which nothing else depends on.
            if name != "dataset.json" {
                let stem = name
                    .trim_end_matches(".tar")
                    .trim_end_matches(".idx")
                    .trim_end_matches(".sums");
                ended.expect(1).says(stem);
            }
        }
        fs::write(given.path("packed").join(name), bytes).unwrap();
    }
    verify(&given).expect(0);
}

#[test]
fn the_members_that_differ_are_named_by_their_keys() {
    let given = Given::new(6, 1);
    pack(
        &given,
        "train",
        "packed",
        &["--mode", "passthrough", "--per-shard", "7"],
    )
    .expect(0);
    let shard = given.path("packed/train-000001.tar");
    let mut bytes = fs::read(&shard).unwrap();
    let index = fs::read_to_string(given.path("packed/train-000001.idx")).unwrap();
    let sums = fs::read_to_string(given.path("packed/train-000001.sums")).unwrap();
    let mut keys = Vec::new();
    for line in [2, 5] {
        let at: usize = index
            .lines()
            .nth(line)
            .unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        bytes[at + 100] ^= 8;
        keys.push(
            sums.lines()
                .nth(line - 1)
                .unwrap()
                .split('\t')
                .nth(4)
                .unwrap()
                .to_owned(),
        );
    }
    fs::write(&shard, bytes).unwrap();
    let mut ended = verify(&given).expect(1);
    for key in keys {
        ended = ended.says(&format!("train-000001.tar, key {key}.jpg: "));
    }
    assert_eq!(ended.stderr.lines().count(), 2, "{}", ended.stderr);
}

/// Files that belong together but do not fit: refused by name, whatever they lead to.
#[test]
fn a_pack_that_contradicts_itself_does_not_open() {
    let given = Given::new(6, 1);
    pack(&given, "train", "packed", &["--size", "24", "--per-shard", "7"]).expect(0);
    let folder = given.path("packed");
    let whole = files(&folder);
    let text = |name: &str| String::from_utf8(whole[name].clone()).unwrap();
    let (idx, sums, manifest) = ("train-000000.idx", "train-000000.sums", "dataset.json");
    let line = text(idx).lines().nth(1).unwrap().to_owned();
    let cases = [
        (
            idx,
            text(idx).replace(&line, "jpg 512 18446744073709551615 cls 1 1"),
            "outside of the shard",
        ),
        (
            idx,
            text(idx).replace(&line, "jpg 99999999 7 cls 1 1"),
            "outside of the shard",
        ),
        (idx, text(idx).replace("v1.1 7", "v1.1 6"), "claims 6 samples and has 7"),
        (
            idx,
            text(idx).replace(&format!("{line}\n"), "").replace("v1.1 7", "v1.1 6"),
            "has 7 lines",
        ),
        (
            sums,
            text(sums).replace("\tbrick/", "\tstone/"),
            "its id does not begin with its class",
        ),
        (
            sums,
            text(sums).replace("\t0\tbrick", "\t9\tbrick"),
            "its label is that of no class",
        ),
        (sums, String::new(), "has 0 lines"),
        (
            manifest,
            text(manifest).replace("train-000001.tar", "../packed/x.tar"),
            "is not in the folder",
        ),
        (
            manifest,
            text(manifest).replace("\"version\": 1", "\"version\": 2"),
            "version 2 of the format",
        ),
        (manifest, text(manifest)[..200].to_owned(), "dataset.json"),
    ];
    for (name, damaged, reason) in cases {
        fs::write(folder.join(name), damaged).unwrap();
        let ended = Process::start(&given.path(""), ["inspect", "packed"]).wait().expect(1);
        ended.says(reason).says(name.trim_end_matches(".idx"));
        fs::write(folder.join(name), &whole[name]).unwrap();
    }
    fs::remove_file(folder.join("train-000002.tar")).unwrap();
    let ended = Process::start(&given.path(""), ["inspect", "packed"]).wait().expect(1);
    ended.says("train-000002.tar: cannot be read");
}

#[test]
fn inspect_says_what_a_pack_is() {
    let given = Given::new(4, 1);
    pack(&given, "train", "packed", &["--mode", "raw", "--size", "24"]).expect(0);
    let ended = Process::start(&given.path(""), ["inspect", "packed"]).wait().expect(0);
    for text in [
        "pack of raw pixels",
        "raw of train (12 samples)",
        "shorter side 24",
        "4  brick",
    ] {
        assert!(ended.stdout.contains(text), "{text}\n{}", ended.stdout);
    }
}
