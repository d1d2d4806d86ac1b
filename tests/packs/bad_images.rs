//! Files that cannot be decoded, under each policy.

use std::fs;

use pipeline::dataset::pack::Manifest;

use crate::given::Given;
use crate::process::Process;
use crate::{assert_same, files, pack, shards};

const BAD: [&str; 3] = ["brick/002.jpg", "grass/004.jpg", "sky/007.jpg"];

fn given() -> Given {
    let given = Given::new(10, 1);
    let cut = given.path("train/grass/004.jpg");
    let bytes = fs::read(&cut).unwrap();
    fs::write(&cut, &bytes[..bytes.len() / 3]).unwrap();
    fs::write(given.path("train/sky/007.jpg"), "no image\n").unwrap();
    fs::write(given.path("train/brick/002.jpg"), "").unwrap();
    given
}

const SETTINGS: [&str; 4] = ["--per-shard", "4", "--size", "24"];

#[test]
fn fail_names_the_same_image_whatever_the_number_of_workers() {
    let given = given();
    let mut said = Vec::new();
    for (i, workers) in ["1", "2", "4"].iter().enumerate() {
        let out = format!("out-{i}");
        let ended = pack(
            &given,
            "train",
            &out,
            &[&SETTINGS[..], &["--workers", workers]].concat(),
        )
        .expect(1);
        said.push(ended.stderr.clone());
        let ended = ended.says("--resume --on-bad-image skip");
        assert_eq!(ended.stderr.lines().count(), 1, "one line:\n{}", ended.stderr);
        // The pack can be resumed.
        pack(
            &given,
            "train",
            &out,
            &[&SETTINGS[..], &["--resume", "--on-bad-image", "skip"]].concat(),
        )
        .expect(0);
    }
    assert!(said.iter().all(|text| *text == said[0]), "{said:?}");
    pack(
        &given,
        "train",
        "skip",
        &[&SETTINGS[..], &["--on-bad-image", "skip"]].concat(),
    )
    .expect(0);
    assert_same(&given.path("out-1"), &given.path("skip"));
}

#[test]
fn skip_reports_them_and_quarantine_copies_them() {
    let given = given();
    let ended = pack(
        &given,
        "train",
        "out",
        &[&SETTINGS[..], &["--on-bad-image", "quarantine"]].concat(),
    )
    .expect(0);
    let manifest = Manifest::read(&given.path("out")).unwrap();
    let skipped: Vec<&str> = manifest.skipped.iter().map(|skipped| skipped.sample.as_str()).collect();
    assert_eq!(skipped, BAD);
    assert_eq!((manifest.samples, manifest.classes[0].samples), (27, 9));
    for name in BAD {
        assert!(ended.stdout.contains(name), "{}", ended.stdout);
        assert!(ended.stderr.contains(&format!("skipped {name}: ")), "{}", ended.stderr);
        let copy = fs::read(given.path("out/quarantine/train").join(name)).unwrap();
        assert_eq!(copy, fs::read(given.path("train").join(name)).unwrap());
    }
    // The quarantine folder beside the shards does not turn them into class folders.
    let data = pipeline::dataset::Dataset::open(given.path("out").to_str().unwrap()).unwrap();
    assert_eq!((data.len(), data.kind()), (27, "pack of JPEGs"));
}

#[test]
fn the_budget_counts_over_resumes() {
    let given = given();
    let policy = ["--on-bad-image", "skip", "--bad-images-max"];
    let one = [&SETTINGS[..], &policy, &["1"]].concat();
    let ended = pack(&given, "train", "out", &one)
        .expect(1)
        .says("more than 1 bad images, the limit of --bad-images-max");
    let before = shards(&given.path("out"));
    assert!(before > 0, "{}", ended.stderr);
    // Bad images in finished shards are remembered, so a limit of two is still one too few.
    let two = [&SETTINGS[..], &policy, &["2", "--resume"]].concat();
    pack(&given, "train", "out", &two)
        .expect(1)
        .says("more than 2 bad images");
    let three = [&SETTINGS[..], &policy, &["3", "--resume"]].concat();
    pack(&given, "train", "out", &three).expect(0);
    pack(
        &given,
        "train",
        "whole",
        &[&SETTINGS[..], &["--on-bad-image", "skip"]].concat(),
    )
    .expect(0);
    assert_same(&given.path("out"), &given.path("whole"));
    assert!(!files(&given.path("out")).keys().any(|name| name.contains("quarantine")));
}

/// All images of the second shard are bad: the shard is not written, and readers read all of the others.
#[test]
fn a_shard_without_a_good_image_is_not_written() {
    let given = Given::new(4, 1);
    for i in 0..4 {
        fs::write(given.path(&format!("train/grass/00{i}.jpg")), "no image").unwrap();
    }
    // In class order, shard 1 holds the grass.
    let settings = [
        "--per-shard",
        "4",
        "--size",
        "24",
        "--in-order",
        "--on-bad-image",
        "skip",
    ];
    for (out, workers) in [("one", "1"), ("three", "3")] {
        pack(&given, "train", out, &[&settings[..], &["--workers", workers]].concat()).expect(0);
    }
    assert_same(&given.path("one"), &given.path("three"));
    let there = files(&given.path("one"));
    let names: Vec<&str> = there
        .keys()
        .map(String::as_str)
        .filter(|name| name.contains("0000"))
        .collect();
    let expected = [
        "000000.idx",
        "000000.sums",
        "000000.tar",
        "000002.idx",
        "000002.sums",
        "000002.tar",
    ];
    assert_eq!(names, expected.map(|name| format!("train-{name}")));
    let manifest = Manifest::read(&given.path("one")).unwrap();
    assert_eq!(
        (manifest.shards.len(), manifest.samples, manifest.skipped.len()),
        (2, 8, 4)
    );
    Process::start(&given.path(""), ["inspect", "one", "--verify"])
        .wait()
        .expect(0);
    // Stopped by a later bad image and then resumed: the missing shard is not written again.
    fs::write(given.path("train/sky/000.jpg"), "no image").unwrap();
    let five = |out: &str, most: &str, resume: &[&str]| {
        let most = ["--bad-images-max", most];
        pack(&given, "train", out, &[&settings[..], &most, resume].concat())
    };
    five("two", "4", &[]).expect(1).says("more than 4 bad images");
    assert_eq!(shards(&given.path("two")), 1);
    five("two", "5", &["--resume"])
        .expect(0)
        .says("resuming after 2 of 3 shards");
    five("whole", "5", &[]).expect(0);
    assert_same(&given.path("whole"), &given.path("two"));
}

#[test]
fn a_source_without_a_good_image_makes_no_pack() {
    let given = Given::new(2, 1);
    for class in ["brick", "grass", "sky"] {
        for name in ["000.jpg", "001.jpg"] {
            fs::write(given.path("train").join(class).join(name), "no image").unwrap();
        }
    }
    pack(&given, "train", "out", &["--on-bad-image", "skip"])
        .expect(1)
        .says("no image can be decoded: all 6 were refused");
    assert!(!given.path("out/dataset.json").exists());
}

/// A name in a list points out of the folder; its quarantined copy stays inside.
#[test]
fn quarantine_keeps_inside_whatever_a_list_calls_its_images() {
    let given = Given::new(2, 1);
    fs::create_dir_all(given.path("lists/deep")).unwrap();
    fs::create_dir_all(given.path("photos")).unwrap();
    fs::write(given.path("photos/b.jpg"), "GIF89a").unwrap();
    let list = "../../photos/b.jpg\tsky\n../../train/sky/000.jpg\tsky\n../../train/brick/000.jpg\tbrick\n";
    fs::write(given.path("lists/deep/l.txt"), list).unwrap();
    let before = files(&given.path(""));
    let quarantine = ["--size", "24", "--on-bad-image", "quarantine"];
    pack(&given, "lists/deep/l.txt", "out/a/b/c", &quarantine).expect(0);
    assert_eq!(
        fs::read(given.path("out/a/b/c/quarantine/train/sky/photos/b.jpg")).unwrap(),
        b"GIF89a"
    );
    let mut after = files(&given.path(""));
    after.retain(|name, _| !name.starts_with("out/a/b/c/"));
    assert_eq!(after, before);
}

/// Every command that uses a set reports ignored files once, in a line of its own.
#[test]
fn ignored_files_are_reported() {
    let given = Given::new(4, 1);
    fs::write(given.path("train/sky/x.heic"), "?").unwrap();
    fs::write(given.path("train/sky/notes.txt"), "?").unwrap();
    let told = "2 other files are ignored: 1 .heic, 1 .txt";
    let ended = pack(&given, "train", "out", &["--size", "24"]).expect(0);
    assert_eq!(
        ended.stderr.matches(&format!("source: {told}\n")).count(),
        1,
        "{}",
        ended.stderr
    );
    let ended = crate::process::run(&given, &["run.epochs=1"]).expect(0);
    assert_eq!(
        ended.stderr.matches(&format!("data.train: {told}\n")).count(),
        1,
        "{}",
        ended.stderr
    );
    for words in [&["inspect", "train"][..], &["check", "train.toml"]] {
        let ended = Process::start(&given.path(""), words).wait().expect(0);
        assert_eq!(ended.stdout.matches(told).count(), 1, "{}", ended.stdout);
    }
}
