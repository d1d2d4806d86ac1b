//! External changes during a run: it ends soon, with a reason that names the change.

use std::fs;
use std::process::Command;

use crate::given::Given;
use crate::process::{Process, assert_seamless, result, resume, run, start, steps_so_far};

/// Long enough to be interfered with, unless something ends it.
const LONG: [&str; 3] = [
    "run.epochs=100000",
    "checkpoint.every_steps=5",
    "evaluate.every_epochs=100000",
];

#[test]
fn a_file_that_vanishes_ends_the_run_by_name() {
    let given = Given::new(20, 4);
    let mut process = start(&given, false, &LONG);
    process.until("a step", || steps_so_far(&given.path("run")) > 2);
    fs::remove_file(given.path("train/grass/007.jpg")).expect("it was there");
    process.wait().expect(1).says("grass/007.jpg");
    result(&given.path("run"));
}

#[test]
fn a_tar_that_is_cut_off_while_it_is_mapped_ends_the_run_by_name() {
    let given = Given::new(20, 4);
    let tar = given.path("images.tar");
    let status = Command::new("tar")
        .args(["-cf", "images.tar", "train", "val"])
        .current_dir(given.path(""))
        .status();
    assert!(status.expect("tar is there").success());
    let sets = [&LONG[..], &["data.train=images.tar/train", "data.val=images.tar/val"]].concat();
    let mut process = start(&given, false, &sets);
    process.until("a step", || steps_so_far(&given.path("run")) > 2);
    fs::File::options()
        .write(true)
        .open(&tar)
        .and_then(|file| file.set_len(8192))
        .expect("it is cut off");
    let ended = process
        .wait()
        .expect(1)
        .says("images.tar")
        .says("truncated while in use");
    assert_eq!(ended.signal, None);
    result(&given.path("run"));
}

#[test]
fn a_loss_that_is_no_number_ends_the_run_and_its_last_checkpoint_serves() {
    let given = Given::new(20, 4);
    let sets = ["run.epochs=20", "checkpoint.every_steps=4"];
    let ended = run(&given, &[&sets[..], &["solver.lr=1e6"]].concat()).expect(1);
    assert!(
        ended.stderr.contains("diverged") || ended.stderr.contains("not finite"),
        "{}",
        ended.stderr
    );
    let out = given.path("run");
    let good = result(&out);
    assert!(
        good.bits
            .iter()
            .all(|(_, values, _)| values.iter().all(|&bits| f32::from_bits(bits).is_finite()))
    );
    Process::start(&given.path(""), ["inspect", "run"]).wait().expect(0);
    resume(&given, &[&sets[..], &["solver.lr=0.01"]].concat()).expect(0);
    assert_seamless(&out, 80);
}

/// The stuck stage is named and the process ends, since nothing else helps against a file that never answers.
#[test]
fn a_file_that_never_answers_is_detected() {
    let given = Given::new(20, 4);
    let mut process = start(&given, false, &[&LONG[..], &["run.stall_after_s=2"]].concat());
    process.until("a step", || steps_so_far(&given.path("run")) > 2);
    let pipe = given.path("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().expect("mkfifo is there");
    assert!(made.success());
    fs::rename(&pipe, given.path("train/grass/001.jpg")).expect("it takes the image's place");
    process
        .wait()
        .expect(1)
        .says("error: decode has work but has made no progress for run.stall_after_s seconds");
    result(&given.path("run"));
}
