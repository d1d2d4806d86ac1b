//! What a user is told before, during and after a run, and how commands handle natural but unexpected arguments.

use std::fs;

use crate::given::Given;
use crate::process::{Ended, Process, resume, run, start, steps_so_far};

fn command(given: &Given, words: &[&str]) -> Ended {
    Process::start(&given.path(""), words).wait()
}

/// The lines of a run that begin with one of these words.
fn heading(stderr: &str) -> Vec<&str> {
    let is_heading = |line: &&str| {
        ["data ", "network ", "device "]
            .iter()
            .any(|word| line.starts_with(word))
    };
    stderr.lines().filter(is_heading).collect()
}

#[test]
fn a_run_begins_with_three_lines_of_what_it_is() {
    let given = Given::new(20, 4);
    let ended = run(&given, &[]).expect(0);
    let lines = heading(&ended.stderr);
    let [data, network, device] = &lines[..] else {
        panic!("{}", ended.stderr)
    };
    assert!(
        data.starts_with("data      60 images in ") && data.contains("3 classes; validation: 12 images"),
        "{data}"
    );
    assert!(
        network.contains("custom layers") && network.contains("3 epochs of 4 steps of 16 images"),
        "{network}"
    );
    assert!(
        device.contains("cpu:0 (") && device.contains("of memory") && device.contains("of disk in"),
        "{device}"
    );
    let quiet = command(&given, &["run", "train.toml", "--quiet", "--set", "run.out=quiet"]).expect(0);
    assert_eq!(heading(&quiet.stderr), [""; 0]);
}

#[test]
fn the_last_lines_propose_only_what_can_be_done_and_count_what_was_skipped() {
    let given = Given::new(20, 4);
    let all = run(&given, &[]).expect(0);
    assert!(
        all.stdout.contains(" eval ") && !all.stdout.contains("skipped"),
        "{}",
        all.stdout
    );
    fs::write(given.path("train/sky/003.jpg"), b"no image").expect("written");
    let text = given.text();
    let line = text
        .lines()
        .find(|line| line.starts_with("val = "))
        .expect("a validation set");
    fs::write(given.toml(), text.replace(line, "")).expect("written");
    let sets = ["run.out=alone", "run.on_bad_image=skip"];
    let alone = run(&given, &sets).expect(0);
    assert!(
        !alone.stdout.contains(" eval "),
        "there is nothing to evaluate on: {}",
        alone.stdout
    );
    assert!(alone.stdout.contains("skipped      1 image; "), "{}", alone.stdout);
    assert!(alone.stderr.contains("no validation set"), "{}", alone.stderr);
}

#[test]
fn after_a_divergence_another_rate_is_proposed_than_the_one_that_diverged() {
    let given = Given::new(20, 4);
    let mean = "augment.mean=[0.485, 0.456, 0.406]";
    let ended = run(&given, &["solver.lr=1e6", mean]).expect(1);
    assert!(!ended.stderr.contains("solver.lr=1e6"), "{}", ended.stderr);
    let command = "--set 'augment.mean=[124.0, 116.0, 104.0]' --set solver.lr=0.1`";
    assert!(ended.stderr.contains(command), "{}", ended.stderr);
    assert!(ended.stderr.contains("which fits pixels in 0..1"), "{}", ended.stderr);
}

#[test]
fn after_a_divergence_without_a_visible_cause_a_tenth_of_the_rate_is_proposed() {
    let given = Given::new(20, 4);
    let ended = run(
        &given,
        &["solver.lr=0.09", "run.epochs=30", "solver.layers.fc2.weight_lr=1000000"],
    )
    .expect(1);
    assert!(ended.stderr.contains("--set solver.lr=0.009`"), "{}", ended.stderr);
}

#[test]
fn a_cosine_that_is_stretched_says_what_becomes_of_the_rate() {
    let given = Given::new(20, 4);
    let cosine = "solver.schedule=cosine";
    run(&given, &[cosine]).expect(0);
    let ended = resume(&given, &[cosine, "run.epochs=6"]).expect(0);
    let told = ended
        .stderr
        .lines()
        .find(|line| line.contains("the learning rate schedule"));
    let told = told.unwrap_or_else(|| panic!("{}", ended.stderr));
    assert!(told.contains("now covers 24 steps instead of 12"), "{told}");
    let again = resume(&given, &[cosine, "run.epochs=6"]).expect(0);
    assert!(
        !again.stderr.contains("the learning rate schedule"),
        "nothing has changed: {}",
        again.stderr
    );
}

#[test]
fn every_image_in_a_folder_is_predicted() {
    let given = Given::new(20, 2);
    run(&given, &[]).expect(0);
    fs::write(given.path("val/notes.txt"), "no image").expect("written");
    let found = command(&given, &["predict", "run", "val", "train/sky/000.jpg", "--json"]).expect(0);
    let images: Vec<&str> = found.stdout.lines().filter_map(|line| line.split('"').nth(3)).collect();
    let expected = [
        "val/brick/000.jpg",
        "val/brick/001.jpg",
        "val/grass/000.jpg",
        "val/grass/001.jpg",
        "val/sky/000.jpg",
        "val/sky/001.jpg",
        "train/sky/000.jpg",
    ];
    assert_eq!(images, expected, "{}", found.stdout);
    // A link to a device that never ends is refused, in a folder and by its name.
    fs::create_dir(given.path("odd")).expect("a folder");
    std::os::unix::fs::symlink("/dev/zero", given.path("odd/zero.jpg")).expect("a link");
    for args in [&["predict", "run", "odd"][..], &["inspect", "odd/zero.jpg"]] {
        let refused = command(&given, args).expect(1);
        assert!(refused.stderr.contains("zero.jpg: "), "{}", refused.stderr);
    }
    let refused = command(&given, &["predict", "run", "odd/zero.jpg"]).expect(1);
    assert!(
        refused.stderr.contains("it is not a regular file"),
        "{}",
        refused.stderr
    );
    fs::create_dir(given.path("empty")).expect("a folder");
    let none = command(&given, &["predict", "run", "empty"]).expect(2);
    assert!(
        none.stderr.contains("no image") && none.stderr.contains(".jpg"),
        "{}",
        none.stderr
    );
}

#[test]
fn verification_decodes_every_image_and_lists_all_bad_ones() {
    let given = Given::new(4, 1);
    let whole = command(&given, &["inspect", "train", "--verify"]).expect(0);
    assert_eq!(whole.stdout, "data set train: all 12 images can be decoded\n");
    for name in ["train/brick/001.jpg", "train/sky/003.jpg"] {
        let bytes = fs::read(given.path(name)).expect("an image");
        fs::write(given.path(name), &bytes[..bytes.len() / 2]).expect("cut");
    }
    let found = command(&given, &["inspect", "train", "--verify"]).expect(1);
    let lines: Vec<&str> = found.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{}", found.stdout);
    assert!(
        lines[0].contains("brick/001.jpg: ") && lines[1].contains("sky/003.jpg: "),
        "{lines:?}"
    );
    assert!(
        found.stderr.contains("2 of 12 images cannot be decoded"),
        "{}",
        found.stderr
    );
}

#[test]
fn a_report_is_there_after_each_evaluation_and_after_a_kill() {
    let given = Given::new(20, 4);
    let mut process = start(&given, false, &["run.epochs=100000"]);
    let page = given.path("run/report.html");
    process.until("a report and some steps more", || {
        page.exists() && steps_so_far(&given.path("run")) > 8
    });
    let text = fs::read_to_string(&page).expect("the report");
    assert!(text.contains("The run is in progress"), "{text}");
    let told = command(&given, &["report", "run", "--out", "page.html"]).expect(0);
    assert_eq!(told.stdout, "report       page.html\n");
    let text = fs::read_to_string(given.path("page.html")).expect("the report");
    assert!(
        text.contains("The run is in progress"),
        "another process is running it: {text}"
    );
    process.signal(libc::SIGKILL);
    process.wait();
    fs::remove_file(&page).expect("gone");
    command(&given, &["report", "run"]).expect(0);
    let text = fs::read_to_string(&page).expect("the report");
    assert!(
        text.contains("it can be resumed") && text.contains("polyline"),
        "{text}"
    );
    assert!(text.contains(">epoch</text>"), "over epochs");
    let none = command(&given, &["report", "train"]).expect(2);
    assert!(none.stderr.contains("there is no run in train"), "{}", none.stderr);
}
