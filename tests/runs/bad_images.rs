//! Files that cannot be decoded: each policy does what it promises, and names them.

use std::fs;
use std::path::Path;

use crate::given::Given;
use crate::process::{assert_seamless, of_kind, result, resume, run};

/// A data set with a truncated JPEG and a text file with a JPEG's name.
fn given() -> Given {
    let given = Given::new(10, 3);
    let cut = given.path("train/grass/004.jpg");
    let bytes = fs::read(&cut).expect("an image");
    fs::write(&cut, &bytes[..bytes.len() / 3]).expect("it is cut off");
    fs::write(given.path("train/sky/002.jpg"), "this is no image\n").expect("a text");
    given
}

fn skipped(out: &Path) -> Vec<String> {
    let mut names: Vec<String> = of_kind(out, "skip")
        .iter()
        .map(|event| event["sample"].as_str().unwrap_or_default().to_string())
        .collect();
    names.sort();
    names
}

const BOTH: [&str; 2] = ["grass/004.jpg", "sky/002.jpg"];

#[test]
fn fail_ends_the_run_and_names_one() {
    let given = given();
    // Also where the pass for the statistics meets the image first.
    for mean in ["augment.mean=[128, 128, 128]", "augment.mean=channel"] {
        let ended = run(&given, &[mean, "decode.workers=3"])
            .expect(1)
            .says("run.on_bad_image");
        let named = BOTH.iter().filter(|name| ended.stderr.contains(*name)).count();
        assert!(named >= 1, "{}", ended.stderr);
        let errors = ended.stderr.lines().filter(|line| line.starts_with("error: ")).count();
        assert_eq!(errors, 1, "one cause per line:\n{}", ended.stderr);
        fs::remove_dir_all(given.path("run")).expect("the run's folder");
    }
}

#[test]
fn skip_continues_without_them_and_reports_each_once() {
    let given = given();
    run(&given, &["run.on_bad_image=skip"])
        .expect(0)
        .says("skipped grass/004.jpg: ");
    let out = given.path("run");
    assert_eq!(skipped(&out), BOTH);
    assert!(
        of_kind(&out, "skip")
            .iter()
            .all(|event| !event["reason"].as_str().unwrap_or_default().is_empty())
    );
    let images: u64 = of_kind(&out, "step")
        .iter()
        .filter_map(|event| event["images"].as_u64())
        .sum();
    assert_eq!(images, 3 * 28, "a skipped image counts in no step");
    let report = fs::read_to_string(out.join("report.html")).expect("a report");
    assert!(BOTH.iter().all(|name| report.contains(name)));
    assert!(!out.join("quarantine").exists());
}

#[test]
fn a_resumed_run_remembers_what_it_has_skipped() {
    let given = given();
    let sets = ["run.on_bad_image=skip", "run.bad_images_max=2", "run.epochs=2"];
    run(&given, &sets).expect(0);
    resume(
        &given,
        &["run.on_bad_image=skip", "run.bad_images_max=2", "run.epochs=4"],
    )
    .expect(0);
    assert_eq!(skipped(&given.path("run")), BOTH);
    assert_seamless(&given.path("run"), 8);
    run(&given, &["run.on_bad_image=skip", "run.epochs=4", "run.out=whole"]).expect(0);
    assert_eq!(result(&given.path("run")), result(&given.path("whole")));
}

#[test]
fn more_of_them_than_allowed_end_the_run() {
    let given = given();
    // With a mean of its own the run needs no pass for statistics; that pass observes the same limit.
    let training = "augment.mean=[128.0, 128.0, 128.0]";
    for mean in [training, "augment.mean=channel"] {
        let ended = run(
            &given,
            &["run.on_bad_image=skip", "run.bad_images_max=1", mean, "run.out=budget"],
        )
        .expect(1);
        ended.says("more than 1 bad images, the limit of run.bad_images_max");
        let _ = std::fs::remove_dir_all(given.path("budget"));
    }
    let ended = run(&given, &["run.on_bad_image=skip", "run.bad_images_max=1", training]).expect(1);
    let ended = ended.says("more than 1 bad images, the limit of run.bad_images_max");
    assert!(
        BOTH.iter()
            .any(|name| ended.stderr.contains(&format!("the latest is {name}: "))),
        "{}",
        ended.stderr
    );
    // Everything reported on the terminal is also on disk.
    assert_eq!(skipped(&given.path("run")), BOTH);
}

#[test]
fn quarantine_copies_their_bytes() {
    let given = given();
    run(&given, &["run.on_bad_image=quarantine"]).expect(0);
    let out = given.path("run");
    for name in BOTH {
        let copy = fs::read(out.join("quarantine/train").join(name)).expect("a copy");
        assert_eq!(copy, fs::read(given.path("train").join(name)).expect("the image"));
    }
    assert_eq!(skipped(&out), BOTH);
}

#[test]
fn bad_images_of_the_validation_set_are_left_out_of_its_errors() {
    let given = Given::new(6, 4);
    fs::write(given.path("val/brick/001.jpg"), "").expect("an empty file");
    for crops in ["1", "10"] {
        let (crops, out) = (format!("evaluate.crops={crops}"), format!("run.out=run-{crops}"));
        run(&given, &["run.on_bad_image=skip", "staging.batch=7", &crops, &out]).expect(0);
        let folder = given.path(out.trim_start_matches("run.out="));
        assert_eq!(skipped(&folder), ["brick/001.jpg"]);
        for evaluation in of_kind(&folder, "eval") {
            assert_eq!(
                (evaluation["images"].as_u64(), evaluation["skipped"].as_u64()),
                (Some(11), Some(1))
            );
        }
    }
}
