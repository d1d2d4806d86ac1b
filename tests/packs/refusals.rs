//! What `pack` and the reader refuse, and how `pack` handles external changes while it runs.

use std::fs;
use std::path::Path;
use std::process::Command;

use pipeline::dataset::Dataset;

use crate::given::Given;
use crate::process::Process;
use crate::skip::{self, Need};
use crate::{pack, shards, start};

#[test]
fn what_is_there_already_is_not_overwritten() {
    let given = Given::new(4, 1);
    fs::create_dir(given.path("other")).unwrap();
    fs::write(given.path("other/letter.txt"), "dear").unwrap();
    pack(&given, "train", "other", &[])
        .expect(2)
        .says("other: the folder is not empty and contains no pack");
    pack(&given, "train", "out", &["--size", "24"]).expect(0);
    pack(&given, "train", "out", &["--size", "24"])
        .expect(2)
        .says("out: already contains a finished pack");
    pack(&given, "train", "out", &["--size", "24", "--resume"]).expect(0);
    let ended = pack(&given, "train", "out", &["--size", "25", "--quality", "80", "--resume"]).expect(2);
    ended.says("quality was 90, is now 80").says("\"shorter_side\":24");
}

#[test]
fn an_unfinished_pack_is_refused_by_name_and_resumed_with_its_settings_only() {
    let given = Given::new(300, 1);
    let settings = ["--per-shard", "50", "--workers", "1"];
    let mut process = start(&given, "train", "out", &settings);
    process.until("the first shard", || shards(&given.path("out")) > 0);
    // While it runs, no other process may write to the folder.
    pack(&given, "train", "out", &[&settings[..], &["--resume"]].concat())
        .expect(1)
        .says("another process is using this folder");
    process.signal(libc::SIGKILL);
    process.wait();
    let ended = pack(&given, "train", "out", &settings).expect(2);
    ended.says("out: already contains an unfinished pack").says("--resume");
    let other = [&settings[..], &["--seed", "9", "--resume"]].concat();
    pack(&given, "train", "out", &other)
        .expect(2)
        .says("dealing_seed was 1, is now 9");
    let error = Dataset::open(given.path("out").to_str().unwrap())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("the pack is unfinished") && error.contains("--resume"),
        "{error}"
    );
    let ended = Process::start(&given.path(""), ["inspect", "out"]).wait().expect(1);
    ended.says("the pack is unfinished");
    // The source has changed meanwhile.
    fs::remove_file(given.path("train/sky/299.jpg")).unwrap();
    pack(&given, "train", "out", &[&settings[..], &["--resume"]].concat())
        .expect(2)
        .says("source was ");
}

#[test]
fn arguments_that_contradict_each_other() {
    let given = Given::new(2, 1);
    pack(&given, "train", "out", &["--mode", "raw", "--quality", "80"])
        .expect(2)
        .says("--quality");
    pack(&given, "train", "out", &["--split", "a/b"])
        .expect(2)
        .says("--split");
    pack(&given, "train", "out", &["--seed", "1", "--in-order"]).expect(2);
    pack(&given, "nowhere", "out", &[]).expect(1).says("nowhere: not found");
    assert!(!given.path("out").exists());
}

#[test]
fn a_pack_must_not_be_in_its_source() {
    let given = Given::new(2, 1);
    std::os::unix::fs::symlink(given.path("train"), given.path("link")).unwrap();
    let inside = [
        "train",
        "train/packed",
        "train/brick/deep/er",
        "val/../train/packed",
        "link/packed",
        "./train/",
    ];
    for out in inside {
        for more in [&[][..], &["--resume"]] {
            let ended = pack(&given, "train", out, more).expect(2);
            ended
                .says(&format!("error: {out}: the folder is inside the source, train, "))
                .says("outside of it");
        }
    }
    pack(&given, "train", "packed", &["--size", "24"]).expect(0);
    pack(&given, "packed", "packed/again", &[])
        .expect(2)
        .says("is inside the source, packed");
    assert!(!given.path("train/packed").exists() && !given.path("packed/again").exists());
    // A name with the same beginning is another folder, and a list is not a folder.
    pack(&given, "train", "train-packed", &["--size", "24"]).expect(0);
    fs::write(given.path("list.tsv"), "train/brick/000.jpg\ta\ntrain/sky/000.jpg\tb\n").unwrap();
    pack(&given, "list.tsv", "listed", &["--size", "24"]).expect(0);
}

#[test]
fn raw_pixels_cannot_be_passed_through() {
    let given = Given::new(1, 1);
    fs::write(
        given.path("x-images-idx3-ubyte"),
        [&[0, 0, 8, 3][..], &[0, 0, 0, 4, 0, 0, 0, 2, 0, 0, 0, 2], &[7; 16]].concat(),
    )
    .unwrap();
    fs::write(given.path("x-labels-idx1-ubyte"), [0, 0, 8, 1, 0, 0, 0, 4, 0, 1, 0, 1]).unwrap();
    pack(&given, "idx:x", "out", &["--mode", "passthrough"])
        .expect(2)
        .says("cannot be passed through; use --mode raw");
    pack(&given, "idx:x", "out", &["--mode", "raw", "--size", "8"]).expect(0);
    pack(&given, "idx:x", "jpeg", &["--size", "8"]).expect(0);
}

#[test]
fn a_source_that_vanishes_is_named_in_one_line() {
    let given = Given::new(300, 1);
    let mut process = start(&given, "train", "out", &["--per-shard", "50", "--workers", "1"]);
    process.until("the first shard", || shards(&given.path("out")) > 0);
    fs::rename(given.path("train"), given.path("gone")).unwrap();
    let ended = process.wait().expect(1).says("error: decode: ");
    assert!(ended.stderr.contains("train/"), "{}", ended.stderr);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    fs::rename(given.path("gone"), given.path("train")).unwrap();
    pack(&given, "train", "out", &["--per-shard", "50", "--resume"]).expect(0);
}

/// A small in-memory file system, unmounted at the end.
struct Small<'a>(&'a Path);

impl Drop for Small<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0).output();
    }
}

#[test]
fn a_full_disk_is_named_and_the_pack_resumes_with_more_room() {
    let given = Given::new(60, 1);
    let out = given.path("small");
    fs::create_dir(&out).unwrap();
    let mount = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=600k", "tmpfs"])
        .arg(&out)
        .output();
    if !mount.is_ok_and(|output| output.status.success()) {
        return skip::for_lack_of(Need::Mount, "this user may not mount a small file system");
    }
    let _small = Small(&out);
    let settings = ["--mode", "raw", "--size", "40", "--per-shard", "20"];
    let ended = pack(&given, "train", "small", &settings).expect(1);
    let ended = ended.says("No space left on device").says("small/").says("--resume");
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    let larger = Command::new("mount")
        .args(["-o", "remount,size=8000k"])
        .arg(&out)
        .output()
        .unwrap();
    assert!(larger.status.success());
    pack(&given, "train", "small", &[&settings[..], &["--resume"]].concat()).expect(0);
    pack(&given, "train", "whole", &settings).expect(0);
    crate::assert_same(&out, &given.path("whole"));
}
