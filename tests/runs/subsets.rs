//! Validation and evaluation sets without some of the run's classes.

use std::fs;

use crate::given::Given;
use crate::process::{Process, result, run};

/// The errors that `eval` prints, as JSON.
fn eval(given: &Given, data: &str) -> serde_json::Value {
    let ended = Process::start(&given.path(""), ["eval", "run", "--json", "--data", data])
        .wait()
        .expect(0);
    serde_json::from_str(&ended.stdout).expect("one object")
}

#[test]
fn a_set_that_lacks_classes_is_tried_on_the_numbers_of_the_run() {
    let given = Given::new(8, 4);
    run(&given, &[]).expect(0);
    // Sky is the last of three classes, and the first of two.
    fs::create_dir(given.path("some")).unwrap();
    for class in ["grass", "sky"] {
        let copy = given.path("some").join(class);
        fs::rename(given.path("val").join(class), copy).unwrap();
    }
    let (rest, some) = (eval(&given, "val"), eval(&given, "some"));
    assert_eq!((rest["images"].as_u64(), some["images"].as_u64()), (Some(4), Some(8)));
    for class in ["grass", "sky"] {
        fs::rename(given.path("some").join(class), given.path("val").join(class)).unwrap();
    }
    // The parts together have the errors of the whole.
    let whole = eval(&given, "val");
    for key in ["top1_error", "loss"] {
        let part = |value: &serde_json::Value, images: f64| value[key].as_f64().unwrap() * images;
        let (parts, all) = (part(&rest, 4.0) + part(&some, 8.0), part(&whole, 12.0));
        assert!((parts - all).abs() < 1e-4, "{key}: {parts} and {all}");
    }
}

#[test]
fn a_validation_set_that_lacks_a_class_changes_no_weight() {
    let given = Given::new(8, 2);
    run(&given, &["run.out=whole"]).expect(0);
    fs::remove_dir_all(given.path("val/brick")).unwrap();
    let ended = run(&given, &["run.out=part"]).expect(0);
    let ended = ended.says("data.val: no images of 1 of 3 classes: brick");
    assert!(!ended.stderr.contains("data.train: no images"), "{}", ended.stderr);
    assert_eq!(result(&given.path("whole")).bits, result(&given.path("part")).bits);
    let ended = Process::start(&given.path(""), ["check", "train.toml"])
        .wait()
        .expect(0);
    assert!(
        ended.stdout.contains("no images of 1 of 3 classes: brick"),
        "{}",
        ended.stdout
    );
}
