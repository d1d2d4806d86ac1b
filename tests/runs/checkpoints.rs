//! Damaged checkpoints are passed over, and the configuration decides which are kept.

use std::fs;
use std::path::Path;

use pipeline::model::checkpoint;

use crate::given::Given;
use crate::process::{Process, assert_seamless, result, resume, run};

#[test]
fn a_damaged_checkpoint_is_passed_over_for_the_one_before() {
    let given = Given::new(20, 4);
    run(&given, &["run.out=whole", "run.epochs=5"]).expect(0);
    run(&given, &["checkpoint.keep=3"]).expect(0);
    let out = given.path("run");
    let all = checkpoint::list(&out.join("checkpoints")).expect("the folder");
    let [.., (_, before), (_, newest)] = &all[..] else {
        panic!("{all:?}")
    };
    // One changed byte of a weight, and half a file: both must be rejected.
    let mut bytes = fs::read(newest).expect("the newest");
    *bytes.last_mut().expect("not empty") ^= 1;
    fs::write(newest, bytes).expect("damaged");
    let bytes = fs::read(before).expect("the one before");
    fs::write(before, &bytes[..bytes.len() / 2]).expect("cut off");
    let inspected = Process::start(&given.path(""), ["inspect".into(), newest.display().to_string()])
        .wait()
        .expect(1);
    assert!(
        inspected.stderr.contains("its checksum does not match"),
        "{}",
        inspected.stderr
    );
    let ended = resume(&given, &["run.epochs=5"]).expect(0);
    let warnings = ended
        .stderr
        .lines()
        .filter(|line| line.contains("trying the previous checkpoint"))
        .count();
    assert_eq!(warnings, 2, "{}", ended.stderr);
    assert_eq!(result(&out), result(&given.path("whole")));
    assert_seamless(&out, 20);
}

#[test]
fn the_best_weights_and_the_newest_checkpoints_are_kept() {
    let given = Given::new(20, 4);
    run(
        &given,
        &["run.epochs=6", "checkpoint.every_steps=1", "checkpoint.keep=2"],
    )
    .expect(0);
    let folder = given.path("run/checkpoints");
    let best = fs::read_to_string(folder.join("best")).expect("best");
    let kept: Vec<u64> = checkpoint::list(&folder)
        .expect("the folder")
        .into_iter()
        .map(|(step, _)| step)
        .collect();
    assert_eq!(kept, [23, 24], "nor the first");
    let best = folder.join(best.trim());
    let size = |path: &Path| fs::metadata(path).expect("it is there").len();
    let newest = size(&folder.join(checkpoint::file_name(24)));
    assert!(size(&best) < newest * 2 / 3, "without momentum");
    assert_eq!(
        fs::read_dir(&folder).expect("the folder").count(),
        4,
        "and nothing else"
    );
    // No run resumes from weights alone, wherever they are.
    let args = ["inspect".to_string(), best.display().to_string()];
    let told = Process::start(&given.path(""), args).wait().expect(0);
    assert!(told.stdout.contains("without momentum"), "{}", told.stdout);
    for step in [23, 24] {
        fs::copy(&best, folder.join(checkpoint::file_name(step))).expect("a copy");
    }
    let refused = resume(&given, &["run.epochs=7"]).expect(1);
    assert!(refused.stderr.contains("no momentum"), "{}", refused.stderr);
}

#[test]
fn a_checkpoint_alone_is_enough_to_evaluate_and_to_predict() {
    let given = Given::new(20, 4);
    let sets = [
        "augment.mean=image",
        "decode.shorter_side=32",
        "augment.pca={ sigma = 0.1 }",
    ];
    run(&given, &sets).expect(0);
    let eval = |path: &str| {
        let args = ["eval", path, "--json", "--quiet"];
        Process::start(&given.path(""), args).wait().expect(0).stdout
    };
    let in_place = eval(&given.path("run").display().to_string());
    // Elsewhere, without the run's folder, the training set or its cached statistics.
    let alone = given.path("alone.safetensors");
    let best = fs::read_to_string(given.path("run/checkpoints/best")).expect("best");
    fs::copy(given.path("run/checkpoints").join(best.trim()), &alone).expect("a copy");
    for gone in ["run", "cache", "train"] {
        fs::remove_dir_all(given.path(gone)).expect("gone");
    }
    assert_eq!(eval("alone.safetensors"), in_place);
    let image = given.path("val/sky/000.jpg").display().to_string();
    let args = ["predict", "alone.safetensors", &image, "--crops", "10", "--json"];
    let guess = Process::start(&given.path(""), args).wait().expect(0).stdout;
    let guess: serde_json::Value = serde_json::from_str(&guess).expect("one JSON object");
    assert_eq!(guess["top5"].as_array().map(Vec::len), Some(3));
}

#[test]
fn a_best_pointer_that_a_kill_left_behind_is_mended() {
    let given = Given::new(20, 4);
    run(&given, &["checkpoint.keep=9"]).expect(0);
    let best = given.path("run/checkpoints/best");
    let right = fs::read_to_string(&best).expect("best");
    fs::write(&best, "step-00000999.weights.safetensors\n").expect("a pointer to nothing");
    let args = ["eval", "run", "--quiet"];
    let ended = Process::start(&given.path(""), args).wait().expect(0);
    assert!(
        ended.stderr.contains("is missing; using the newest"),
        "{}",
        ended.stderr
    );
    resume(&given, &["checkpoint.keep=9"]).expect(0);
    assert_eq!(fs::read_to_string(&best).expect("best"), right);
    // Missing weights are taken from the checkpoint of their step while it exists.
    let weights = given.path("run/checkpoints").join(right.trim());
    let before = fs::read(&weights).expect("the best weights");
    fs::remove_file(&weights).expect("gone");
    resume(&given, &["run.epochs=4", "checkpoint.keep=9"]).expect(0);
    assert_eq!(fs::read(&weights).expect("the best weights"), before);
}

#[test]
fn damaged_checkpoints_past_the_resumed_one_do_not_count_among_the_newest() {
    let given = Given::new(20, 4);
    run(&given, &["checkpoint.keep=9"]).expect(0);
    let folder = given.path("run/checkpoints");
    for (_, path) in checkpoint::list(&folder).expect("the folder").into_iter().rev().take(2) {
        fs::write(path, b"no checkpoint").expect("damaged");
    }
    resume(&given, &["checkpoint.keep=1", "run.epochs=4"]).expect(0);
    let last = checkpoint::list(&folder).expect("the folder").pop().expect("the last");
    assert_eq!(last.0, 16);
    checkpoint::read(&last.1).expect("the last is whole");
}
