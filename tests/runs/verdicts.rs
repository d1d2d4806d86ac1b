//! A run reports what limits it: as an event after each epoch, in its last lines and in its report.

use std::fs;

use crate::given::Given;
use crate::process::{events, of_kind, result, resume, run, start, steps_so_far};

#[test]
fn each_epoch_has_a_verdict_and_the_last_one_is_told() {
    let given = Given::new(20, 4);
    let ended = run(&given, &[]).expect(0);
    let out = given.path("run");
    let verdicts = of_kind(&out, "verdict");
    let places: Vec<_> = verdicts
        .iter()
        .map(|v| (v["epoch"].as_u64(), v["step"].as_u64()))
        .collect();
    assert_eq!(places, [(Some(0), Some(4)), (Some(1), Some(8)), (Some(2), Some(12))]);
    for verdict in &verdicts {
        let stages = verdict["stages"].as_object().expect("stages by name");
        for name in [
            "source", "decode", "augment", "staging", "compute", "cpu", "save", "record",
        ] {
            for share in ["busy", "input_wait", "room_wait"] {
                let value = stages[name][share].as_f64().expect("a share");
                assert!((0.0..=1.0).contains(&value), "{name}: {verdict}");
            }
            assert!(stages[name]["workers"].as_f64() >= Some(1.0), "{verdict}");
        }
        let bound = verdict["bound"].as_str().expect("a stage");
        assert!(stages.contains_key(bound), "{verdict}");
        assert!(
            verdict["images_per_s"]
                .as_f64()
                .is_some_and(|rate| rate.is_finite() && rate > 0.0),
            "{verdict}"
        );
    }
    let text = verdicts[2]["text"].as_str().expect("words");
    assert!(
        ended.stdout.contains(&format!("verdict      {text}\n")),
        "{}",
        ended.stdout
    );
    let page = fs::read_to_string(out.join("report.html")).expect("a report");
    assert!(page.contains("Bottleneck") && page.contains(text), "{page}");
}

#[test]
fn a_run_that_was_killed_has_one_verdict_an_epoch_in_the_end() {
    let given = Given::new(20, 4);
    let sets = ["run.epochs=30", "checkpoint.every_steps=5"];
    let out = given.path("run");
    let mut process = start(&given, false, &sets);
    process.until("three epochs", || steps_so_far(&out) > 13);
    process.signal(libc::SIGKILL);
    process.wait();
    resume(&given, &sets).expect(0);
    assert_eq!(result(&out).step, 120);
    let steps: Vec<_> = of_kind(&out, "verdict")
        .iter()
        .filter_map(|v| v["step"].as_u64())
        .collect();
    assert_eq!(steps, (1..=30).map(|epoch| 4 * epoch).collect::<Vec<_>>());
    let seen = events(&out);
    let seconds: Vec<_> = seen.iter().filter_map(|event| event["elapsed_s"].as_f64()).collect();
    assert!(seconds.is_sorted(), "{seconds:?}");
}

#[test]
fn a_run_without_a_validation_set_and_with_a_short_last_epoch_has_them_too() {
    let given = Given::new(20, 4);
    let text = given.text();
    let without: Vec<&str> = text.lines().filter(|line| !line.starts_with("val")).collect();
    fs::write(given.toml(), without.join("\n")).expect("train.toml is written");
    run(&given, &["run.steps=6"]).expect(0);
    let steps: Vec<_> = of_kind(&given.path("run"), "verdict")
        .iter()
        .filter_map(|v| v["step"].as_u64())
        .collect();
    assert_eq!(steps, [4, 6]);
}

#[test]
fn an_epoch_of_a_single_step_has_a_rate() {
    let given = Given::new(20, 4);
    // All images are read before the first step.
    run(&given, &["staging.batch=60", "run.epochs=5"]).expect(0);
    let verdicts = of_kind(&given.path("run"), "verdict");
    assert_eq!(verdicts.len(), 5);
    for verdict in verdicts {
        assert!(verdict["images_per_s"].as_f64() > Some(0.0), "{verdict}");
    }
}
