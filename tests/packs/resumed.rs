//! Files kept from an unfinished pack, then damaged: they are written again, never trusted.

use std::fs;
use std::path::Path;

use crate::given::Given;
use crate::{assert_same, pack, shards, start};

const SETTINGS: [&str; 7] = ["--per-shard", "20", "--workers", "1", "--size", "32", "--square"];

/// A pack that was killed after at least two shards.
fn killed(given: &Given) {
    let mut process = start(given, "train", "out", &SETTINGS);
    process.until("two shards", || shards(&given.path("out")) >= 2);
    process.signal(libc::SIGKILL);
    process.wait();
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    let at = at % bytes.len();
    bytes[at] ^= 4;
    fs::write(path, bytes).unwrap();
}

#[test]
fn damage_to_kept_or_finished_files_is_found_and_repaired() {
    let given = Given::new(200, 1);
    pack(&given, "train", "whole", &SETTINGS).expect(0);
    killed(&given);
    // The unfinished pack, to be damaged repeatedly.
    let copy = |from: &str, to: &str| {
        let _ = fs::remove_dir_all(given.path(to));
        let copied = std::process::Command::new("cp")
            .arg("-r")
            .arg(given.path(from))
            .arg(given.path(to))
            .status();
        assert!(copied.unwrap().success());
    };
    copy("out", "kept");
    let damaged = [
        ("out/.partial/train-000000.json", 30),
        ("out/.partial/train-000001.json", 200),
        ("out/.partial/train-000000.mean", 1000),
        ("out/train-000000.tar", 1500),
        ("out/train-000001.idx", 30),
        ("out/train-000001.sums", 300),
    ];
    for (path, at) in damaged {
        copy("kept", "out");
        flip(&given.path(path), at);
        let ended = pack(&given, "train", "out", &[&SETTINGS[..], &["--resume"]].concat()).expect(0);
        let name = Path::new(path).file_name().unwrap().to_str().unwrap();
        ended.says(name).says("has changed since it was written").says("again");
        assert_same(&given.path("out"), &given.path("whole"));
    }
    // The settings describe everything else, so a pack whose settings are damaged is not resumed.
    copy("kept", "out");
    flip(&given.path("out/.partial/settings.json"), 100);
    let ended = pack(&given, "train", "out", &[&SETTINGS[..], &["--resume"]].concat()).expect(1);
    ended.says("settings.json: has changed since it was written");
    // A file that cannot be read may be intact, so it is left alone.
    copy("kept", "out");
    fs::remove_file(given.path("out/.partial/train-000000.json")).unwrap();
    fs::create_dir(given.path("out/.partial/train-000000.json")).unwrap();
    let ended = pack(&given, "train", "out", &[&SETTINGS[..], &["--resume"]].concat()).expect(1);
    ended.says("train-000000.json: cannot be read");
}
