//! `init`: a configuration for any supported folder.
#![allow(clippy::unwrap_used, reason = "a test panics if anything is unexpected")]

use std::fs::{self, File};
use std::path::Path;

use crate::given::Given;
use crate::messages::golden;
use crate::process::{Ended, Process, of_kind};

fn init(given: &Given, args: &[&str]) -> Ended {
    Process::start(&given.path(""), [&["init"], args].concat()).wait()
}

fn pipeline(given: &Given, args: &[&str]) -> Ended {
    Process::start(&given.path(""), args).wait()
}

fn written(given: &Given, name: &str) -> String {
    fs::read_to_string(given.path(name)).unwrap()
}

/// Two folders of class folders, and nothing else that could be taken for data.
fn photos(train: usize, val: usize) -> Given {
    let given = Given::new(train, val);
    fs::create_dir(given.path("photos")).unwrap();
    for (from, to) in [("train", "photos/Training"), ("val", "photos/valid")] {
        fs::rename(given.path(from), given.path(to)).unwrap();
    }
    fs::remove_file(given.toml()).unwrap();
    given
}

#[test]
fn the_text_for_two_splits_and_for_one_folder() {
    let given = photos(20, 4);
    let told = init(&given, &["photos"]).expect(0).stdout;
    golden(
        &given,
        "init-splits",
        &format!("{}\n{told}", written(&given, "train.toml")),
    );
    let told = init(&given, &["photos/Training/", "--out", "one.toml"])
        .expect(0)
        .stdout;
    golden(
        &given,
        "init-one-folder",
        &format!("{}\n{told}", written(&given, "one.toml")),
    );
}

/// The quickest way from data to a trained network, as a new user takes it.
#[test]
fn what_it_writes_trains() {
    let given = photos(20, 4);
    init(&given, &["photos/Training"]).expect(0);
    pipeline(
        &given,
        &[
            "run",
            "train.toml",
            "--set",
            "run.epochs=12",
            "--set",
            "data.cache=cache",
        ],
    )
    .expect(0);
    let evals = of_kind(&given.path("runs/Training"), "eval");
    assert_eq!(evals.last().unwrap()["top1_error"], 0.0, "{evals:?}");
    // The next run gets a new folder.
    init(&given, &["photos/Training", "--force"]).expect(0);
    assert!(written(&given, "train.toml").contains("out = \"runs/Training-2\""));
}

#[test]
fn a_file_is_overwritten_by_force_alone() {
    let given = photos(4, 2);
    fs::write(given.path("train.toml"), "mine").unwrap();
    init(&given, &["photos"])
        .expect(2)
        .says("train.toml already exists: choose another file with --out, or overwrite it with --force");
    assert_eq!(written(&given, "train.toml"), "mine");
    init(&given, &["photos", "--force"]).expect(0);
    assert!(written(&given, "train.toml").contains("preset = \"alexnet-small\""));
}

#[test]
fn where_there_are_no_images_it_says_what_was_looked_for() {
    let given = photos(1, 1);
    fs::create_dir(given.path("empty")).unwrap();
    fs::create_dir(given.path("loose")).unwrap();
    fs::copy(given.path("photos/valid/sky/000.jpg"), given.path("loose/1.jpg")).unwrap();
    let told: Vec<String> = ["empty", "loose", "absent"]
        .map(|name| init(&given, &[name]).expect(1).stderr)
        .into();
    golden(&given, "init-nothing", &told.join("\n"));
    fs::create_dir_all(given.path("bad/a")).unwrap();
    fs::create_dir_all(given.path("bad/b")).unwrap();
    for file in ["bad/a/1.jpg", "bad/b/1.jpg"] {
        fs::write(given.path(file), "no image").unwrap();
    }
    init(&given, &["bad"])
        .expect(1)
        .says("none of the 2 images examined can be decoded");
    assert!(!given.path("train.toml").exists(), "nothing is written");
}

#[test]
fn a_folder_in_place_of_a_configuration_is_told_what_to_do() {
    let given = photos(4, 2);
    for command in ["run", "check"] {
        pipeline(&given, &[command, "photos"])
            .expect(2)
            .says("photos is a folder, not a configuration; create a configuration for its images: `")
            .says(" init photos`");
    }
    fs::create_dir_all(given.path("runs/a/checkpoints")).unwrap();
    pipeline(&given, &["run", "runs/a"])
        .expect(2)
        .says("runs/a is the folder of a run, not a configuration; use the one inside it: runs/a/config.toml");
}

fn tar(of: &Path, to: &Path) {
    let mut builder = tar::Builder::new(File::create(to).unwrap());
    builder.append_dir_all("", of).unwrap();
    builder.finish().unwrap();
}

/// Grey images of 28 × 28 as IDX files, twenty per label for ten labels.
fn idx(folder: &Path) {
    fs::create_dir(folder).unwrap();
    for (part, count) in [("train", 200_u32), ("t10k", 20)] {
        let head = |sizes: &[u32]| {
            let mut bytes = vec![0, 0, 8, sizes.len() as u8];
            sizes.iter().for_each(|size| bytes.extend(size.to_be_bytes()));
            bytes
        };
        let mut images = head(&[count, 28, 28]);
        images.extend((0..count * 784).map(|at| (at * 7 + at / 784 * 13) as u8));
        let mut labels = head(&[count]);
        labels.extend((0..count).map(|i| (i % 10) as u8));
        fs::write(folder.join(format!("{part}-images-idx3-ubyte")), images).unwrap();
        fs::write(folder.join(format!("{part}-labels-idx1-ubyte")), labels).unwrap();
    }
}

/// CIFAR-10's binary files, with four records per batch.
fn cifar(folder: &Path) {
    fs::create_dir(folder).unwrap();
    let batches = (1..6)
        .map(|i| format!("data_batch_{i}.bin"))
        .chain(["test_batch.bin".to_owned()]);
    for batch in batches {
        let record = |label: u8| std::iter::once(label).chain((0..3072_u32).map(|at| (at * 5) as u8));
        fs::write(folder.join(batch), (0..10).flat_map(record).collect::<Vec<_>>()).unwrap();
    }
    let names = [
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    ];
    fs::write(folder.join("batches.meta.txt"), names.join("\n")).unwrap();
}

/// A list of the images in one folder.
fn list(given: &Given, folder: &str, to: &str) {
    let mut lines = String::new();
    for class in ["brick", "grass", "sky"] {
        for i in 0..2 {
            lines += &format!("../{folder}/{class}/{i:03}.jpg\t{class}\n");
        }
    }
    fs::write(given.path(to), lines).unwrap();
}

/// Every kind of data set that the tests can make.
#[test]
fn check_accepts_what_init_writes_for_each_kind_of_set() {
    let given = photos(6, 2);
    let (train, val) = ("photos/Training", "photos/valid");
    tar(&given.path("photos"), &given.path("splits.tar"));
    tar(&given.path(train), &given.path("one.tar"));
    for folder in ["tars", "lists", "packs"] {
        fs::create_dir(given.path(folder)).unwrap();
    }
    for (from, to) in [(train, "train"), (val, "test")] {
        tar(&given.path(from), &given.path(&format!("tars/{to}.tar")));
        list(&given, from, &format!("lists/{to}.tsv"));
        let args = [
            "pack",
            from,
            "--out",
            &format!("packs/{to}"),
            "--size",
            "40",
            "--per-shard",
            "5",
        ];
        pipeline(&given, &args).expect(0);
    }
    // Shards of both parts in one folder, as other tools write them.
    fs::create_dir(given.path("shards")).unwrap();
    for part in ["train", "test"] {
        for shard in fs::read_dir(given.path(&format!("packs/{part}"))).unwrap().flatten() {
            let name = shard.file_name().into_string().unwrap();
            let is_tar = shard.path().extension().is_some_and(|extension| extension == "tar");
            if let Some(number) = name.strip_prefix("train-").filter(|_| is_tar) {
                fs::copy(shard.path(), given.path(&format!("shards/{part}-{number}"))).unwrap();
            }
        }
    }
    idx(&given.path("mnist"));
    cifar(&given.path("cifar"));
    let expected = [
        ("photos", "train = \"photos/Training\"", "val = \"photos/valid\""),
        ("photos/valid/", "train = \"photos/valid\"", "val = { fraction = 0.1 }"),
        (
            "splits.tar",
            "train = \"splits.tar/Training\"",
            "val = \"splits.tar/valid\"",
        ),
        ("one.tar", "train = \"one.tar\"", "val = { fraction = 0.1 }"),
        ("tars", "train = \"tars/train.tar\"", "val = \"tars/test.tar\""),
        ("lists", "train = \"lists/train.tsv\"", "val = \"lists/test.tsv\""),
        (
            "lists/train.tsv",
            "train = \"lists/train.tsv\"",
            "val = { fraction = 0.1 }",
        ),
        ("packs", "train = \"packs/train\"", "val = \"packs/test\""),
        ("packs/train", "train = \"packs/train\"", "val = { fraction = 0.1 }"),
        (
            "shards",
            "train = \"shards/train-{000000..000003}.tar\"",
            "val = \"shards/test-{000000..000001}.tar\"",
        ),
        ("mnist", "train = \"idx:mnist/train\"", "val = \"idx:mnist/t10k\""),
        (
            "idx:mnist/train",
            "train = \"idx:mnist/train\"",
            "val = { fraction = 0.1 }",
        ),
        ("cifar", "train = \"cifar:cifar/train\"", "val = \"cifar:cifar/test\""),
    ];
    for (location, train, val) in expected {
        init(&given, &[location, "--force"]).expect(0);
        let text = written(&given, "train.toml");
        assert!(text.contains(train) && text.contains(val), "{location}:\n{text}");
        let checked = pipeline(&given, &["check", "train.toml"]).expect(0).stdout;
        assert!(
            !checked.contains("warning") && !checked.contains("absent"),
            "{location}:\n{checked}"
        );
    }
}
