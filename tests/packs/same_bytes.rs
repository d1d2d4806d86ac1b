//! A pack's bytes depend only on its settings and its source, not on workers, queues or how often it was killed.

use std::thread;
use std::time::Duration;

use pipeline::rng::{Philox, Purpose};

use crate::given::Given;
use crate::{assert_same, files, pack, shards, start};

#[test]
fn any_number_of_workers_writes_the_same() {
    let given = Given::new(20, 1);
    for mode in ["jpeg", "raw", "passthrough"] {
        let common = ["--mode", mode, "--per-shard", "7", "--size", "48"];
        let variants: [&[&str]; 4] = [
            &["--workers", "1", "--queue", "1"],
            &["--workers", "3"],
            &["--workers", "2", "--queue", "9"],
            &["--workers", "5", "--queue", "1"],
        ];
        for (i, variant) in variants.iter().enumerate() {
            let out = format!("{mode}-{i}");
            pack(&given, "train", &out, &[&common[..], variant].concat()).expect(0);
            assert_same(&given.path(&format!("{mode}-0")), &given.path(&out));
        }
        let found = files(&given.path(&format!("{mode}-0")));
        // 60 samples in shards of 7, three files per shard, plus manifest and statistics.
        assert_eq!(found.len(), 9 * 3 + 2, "{:?}", found.keys());
    }
}

#[test]
fn another_seed_deals_otherwise_and_in_order_keeps_the_classes_together() {
    let given = Given::new(8, 1);
    let common = ["--mode", "passthrough", "--per-shard", "100"];
    pack(&given, "train", "a", &common).expect(0);
    pack(&given, "train", "b", &[&common[..], &["--seed", "2"]].concat()).expect(0);
    pack(&given, "train", "c", &[&common[..], &["--in-order"]].concat()).expect(0);
    let sums = |out: &str| String::from_utf8(files(&given.path(out))["train-000000.sums"].clone()).unwrap();
    let indices = |out: &str| -> Vec<u32> {
        let text = sums(out);
        text.lines()
            .map(|line| line.split('\t').nth(2).unwrap().parse().unwrap())
            .collect()
    };
    assert_ne!(indices("a"), indices("b"));
    assert_eq!(indices("c"), (0..24).collect::<Vec<_>>());
    let mut sorted = indices("a");
    sorted.sort_unstable();
    assert_eq!(sorted, indices("c"));
}

#[test]
fn killed_again_and_again_it_comes_to_the_same_bytes() {
    let given = Given::new(200, 1);
    let settings = ["--per-shard", "23", "--size", "200", "--workers", "2"];
    pack(&given, "train", "whole", &settings).expect(0);
    let killed = given.path("killed");
    let all = 600_usize.div_ceil(23);
    let mut random = Philox::new(5, Purpose::Crop, 0, 0);
    let mut kills = 0;
    for _ in 0..40 {
        let before = shards(&killed);
        if before == all {
            break;
        }
        let mut process = start(&given, "train", "killed", &[&settings[..], &["--resume"]].concat());
        let at = before + random.below(4) as usize;
        process.until_or_ended(|| shards(&killed) >= at);
        thread::sleep(Duration::from_micros(u64::from(random.below(12_000))));
        process.signal(libc::SIGKILL);
        let ended = process.wait();
        kills += usize::from(ended.signal == Some(libc::SIGKILL));
        assert!(ended.signal.is_some() || ended.code == Some(0), "{ended:#?}");
    }
    assert!(kills >= 3, "only {kills} of the attempts were long enough to be killed");
    pack(&given, "train", "killed", &[&settings[..], &["--resume"]].concat()).expect(0);
    assert_same(&given.path("whole"), &killed);
    // Resuming once more changes nothing.
    pack(&given, "train", "killed", &[&settings[..], &["--resume"]].concat()).expect(0);
    assert_same(&given.path("whole"), &killed);
}

/// Moments that a random kill seldom hits: between the last steps of a shard, and of the pack.
#[test]
fn killed_between_any_two_renames_it_comes_to_the_same_bytes() {
    let given = Given::new(200, 1);
    let settings = ["--per-shard", "100", "--size", "100", "--workers", "1"];
    let again = [&settings[..], &["--resume"]].concat();
    pack(&given, "train", "whole", &settings).expect(0);
    let (out, partial) = (given.path("out"), given.path("out/.partial"));
    let mut process = start(&given, "train", "out", &settings);
    process.until("the second shard", || shards(&out) > 1);
    process.signal(libc::SIGKILL);
    process.wait();
    // The record exists, but the files are not renamed, or not all of them.
    for renamed in [&["tar"][..], &["tar", "sums"], &["tar", "sums", "idx"]] {
        for extension in renamed {
            let name = format!("train-000001.{extension}");
            std::fs::rename(out.join(&name), partial.join(&name)).unwrap();
        }
        // A second attempt was killed while it wrote the sums, so the first attempt's record is void.
        std::fs::write(partial.join("train-000001.mean"), "half").unwrap();
        let mut process = start(&given, "train", "out", &again);
        process.until("the second shard, again", || shards(&out) > 1);
        process.signal(libc::SIGKILL);
        process.wait();
    }
    // A truncated shard is written again.
    std::fs::write(out.join("train-000000.tar"), "").unwrap();
    let copy = given.path("copy");
    assert!(
        std::process::Command::new("cp")
            .arg("-r")
            .args([&partial, &copy])
            .status()
            .unwrap()
            .success()
    );
    pack(&given, "train", "out", &again).expect(0);
    assert_same(&given.path("whole"), &out);
    // The manifest exists, and so do the files that should have been removed.
    std::fs::rename(&copy, &partial).unwrap();
    assert!(pipeline::dataset::Dataset::open(out.to_str().unwrap()).is_ok());
    pack(&given, "train", "out", &settings).expect(2);
    pack(&given, "train", "out", &again).expect(0);
    assert_same(&given.path("whole"), &out);
    // All shards exist, but neither manifest nor statistics.
    std::fs::create_dir(given.path("late")).unwrap();
    let mut process = start(&given, "train", "late", &settings);
    process.until_or_ended(|| shards(&given.path("late")) == 6);
    process.signal(libc::SIGKILL);
    process.wait();
    pack(&given, "train", "late", &again).expect(0);
    assert_same(&given.path("whole"), &given.path("late"));
}

#[test]
fn stopped_on_request_it_says_how_to_resume() {
    let given = Given::new(300, 1);
    let settings = ["--per-shard", "50", "--size", "256", "--workers", "1"];
    let mut process = start(&given, "train", "out", &settings);
    process.until("the first shard", || shards(&given.path("out")) > 0);
    process.signal(libc::SIGINT);
    process.wait().expect(3).says("--resume");
    pack(&given, "train", "out", &[&settings[..], &["--resume"]].concat())
        .expect(0)
        .says("resuming after ");
    pack(&given, "train", "whole", &settings).expect(0);
    assert_same(&given.path("whole"), &given.path("out"));
}
