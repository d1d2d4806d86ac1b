//! `inspect --verify` finds every change.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use pipeline::rng::{Philox, Purpose};

use crate::given::Given;
use crate::process::{Ended, Process};
use crate::seal::{refusal, seal};
use crate::{files, pack};

fn verify(given: &Given) -> Ended {
    Process::start(&given.path(""), ["inspect", "packed", "--verify"]).wait()
}

#[test]
fn a_flipped_bit_is_found_and_named() {
    let given = Given::new(6, 1);
    pack(&given, "train", "packed", &["--size", "24", "--per-shard", "7"]).expect(0);
    let shown = verify(&given).expect(0).stdout;
    assert!(
        shown.contains("all 18 samples in 3 shards") && shown.contains("all 18 images can be decoded"),
        "{shown}"
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
            let stem = name
                .trim_end_matches(".tar")
                .trim_end_matches(".idx")
                .trim_end_matches(".sums");
            let ended = ended.expect(1);
            assert!(ended.stdout.contains(stem) || ended.stderr.contains(stem), "{ended:?}");
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
    let ended = verify(&given).expect(1).says("2 faults");
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{}", ended.stdout);
    for (line, key) in lines.iter().zip(keys) {
        assert!(line.contains(&format!("train-000001.tar, key {key}.jpg: ")), "{line}");
    }
}

/// A pack with correct checksums but wrong contents, as another program might write it: refused by name, whatever it refers to.
fn refused(whole: &BTreeMap<String, Vec<u8>>, folder: &Path, name: &str, changed: &str, reason: &str) {
    fs::write(folder.join(name), changed).unwrap();
    seal(folder);
    let error = refusal(folder);
    assert!(error.contains(reason), "{reason}: {error}");
    for (name, bytes) in whole {
        fs::write(folder.join(name), bytes).unwrap();
    }
}

#[test]
fn lines_that_contradict_the_pack_are_refused() {
    let given = Given::new(6, 1);
    pack(&given, "train", "packed", &["--size", "24", "--per-shard", "7"]).expect(0);
    let folder = given.path("packed");
    let whole = files(&folder);
    let text = |name: &str| String::from_utf8(whole[name].clone()).unwrap();
    let (idx, sums) = ("train-000000.idx", "train-000000.sums");
    let line = text(idx).lines().nth(1).unwrap().to_owned();
    let of_idx = |line_there: &str| (idx, text(idx).replace(&line, line_there));
    let of_sums = |from: &str, to: &str| (sums, text(sums).replace(from, to));
    let cases = [
        (of_idx("jpg 512 18446744073709551615 cls 1 1"), "outside of the shard"),
        (of_idx("jpg 99999999 7 cls 1 1"), "outside of the shard"),
        (of_idx("jpg 1 99999999999999999999999 cls 1 1"), "line 2 is damaged"),
        (
            (idx, text(idx).replace("v1.1 7", "v1.1 6")),
            "claims 6 samples, but has 7",
        ),
        (
            (
                idx,
                text(idx).replace(&format!("{line}\n"), "").replace("v1.1 7", "v1.1 6"),
            ),
            "has 7 lines",
        ),
        (of_sums("\tbrick/", "\tstone/"), "its id does not begin with its class"),
        (of_sums("\t0\tbrick", "\t9\tbrick"), "its label belongs to no class"),
        (
            of_sums("\tbrick/0", "\tbrick/../0"),
            "is refused: it leads to another folder",
        ),
        (of_sums("\tbrick/0", "\tbrick//etc/0"), "is refused: it is absolute"),
        ((sums, String::new()), "has 0 lines"),
    ];
    for ((name, changed), reason) in cases {
        refused(&whole, &folder, name, &changed, reason);
    }
}

#[test]
fn a_manifest_that_contradicts_itself_or_the_shards_is_refused() {
    let given = Given::new(6, 1);
    pack(&given, "train", "packed", &["--size", "24", "--per-shard", "7"]).expect(0);
    let folder = given.path("packed");
    let whole = files(&folder);
    let name = "dataset.json";
    let manifest = String::from_utf8(whole[name].clone()).unwrap();
    let cases = [
        (("train-000001.tar", "../packed/x.tar"), "is not a tar in the folder"),
        (("train-000001.tar", "/packed/x.tar"), "is not a tar in the folder"),
        (("train-000001.tar", ".."), "is not a tar in the folder"),
        (("train-000001.tar", "train-000000.tar"), "is listed twice"),
        (("\"brick\"", "\"..\""), "\"..\" cannot be the name of a class"),
        (("\"brick\"", "\"/etc\""), "\"/etc\" cannot be the name of a class"),
        (("\"brick\"", "\"sky\""), "two classes have it"),
        (("\"per_shard\": 7", "\"per_shard\": 0"), "per_shard is 0"),
        (("\"square_side\": 24", "\"square_side\": 0"), "square_side is 0"),
        (("\"quality\": 90", "\"quality\": 0"), "quality is 0"),
        (
            ("\"samples\": 6", "\"samples\": 5"),
            "claims 18 samples, but its shards have 18 and its classes 17",
        ),
        (
            ("\"samples\": 6", "\"samples\": 18446744073709551615"),
            "claims 18 samples",
        ),
    ];
    for ((from, to), reason) in cases {
        assert!(manifest.contains(from), "{from}");
        refused(&whole, &folder, name, &manifest.replacen(from, to, 1), reason);
    }
    for (changed, reason) in [
        (
            manifest.replace("\"version\": 2", "\"version\": 1"),
            "the format has version 1, but this program reads version 2",
        ),
        (manifest[..200].to_owned(), "dataset.json"),
        (
            manifest.replace("\"quality\": 90", "\"quality\": 91"),
            "has changed since it was written",
        ),
    ] {
        fs::write(folder.join(name), changed).unwrap();
        let error = refusal(&folder);
        assert!(error.contains(reason), "{error}");
    }
    fs::write(folder.join(name), &whole[name]).unwrap();
    fs::remove_file(folder.join("train-000002.tar")).unwrap();
    let ended = Process::start(&given.path(""), ["inspect", "packed"]).wait().expect(1);
    ended.says("train-000002.tar: cannot be read");
}

/// A pack without samples is refused, although nothing in it contradicts anything.
#[test]
fn a_pack_without_samples_does_not_open() {
    let given = Given::new(2, 1);
    pack(&given, "train", "packed", &["--size", "24"]).expect(0);
    let path = given.path("packed/dataset.json");
    let mut manifest: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    manifest["samples"] = 0.into();
    manifest["shards"] = serde_json::Value::Array(Vec::new());
    manifest["classes"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .for_each(|class| class["samples"] = 0.into());
    fs::write(&path, serde_json::to_vec_pretty(&manifest).unwrap()).unwrap();
    seal(&given.path("packed"));
    assert!(refusal(&given.path("packed")).contains("dataset.json: has no samples"));
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

#[test]
fn a_file_that_cannot_be_read_is_not_called_damaged() {
    let given = Given::new(6, 1);
    pack(&given, "train", "packed", &["--size", "24", "--per-shard", "7"]).expect(0);
    let index = given.path("packed/train-000001.idx");
    fs::remove_file(&index).unwrap();
    // Root may read everything, so a loop of links stands for a failing disk.
    std::os::unix::fs::symlink("train-000001.idx", &index).unwrap();
    let ended = verify(&given).expect(1).says("1 file could not be read");
    assert_eq!(ended.stdout.lines().count(), 1, "{}", ended.stdout);
    assert!(
        ended.stdout.contains("train-000001.idx: cannot be read"),
        "{}",
        ended.stdout
    );
    assert!(!ended.stderr.contains("pack again"), "{}", ended.stderr);
}
