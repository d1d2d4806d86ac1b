//! `bench input`: its output, and that augmentations of every kind work in a whole run.

use serde_json::Value;

use crate::given::Given;
use crate::process::{Process, result, run};

#[test]
fn bench_input_prints_one_object_that_adds_up() {
    let given = Given::new(8, 2);
    let toml = given.toml();
    let args = [
        "bench",
        "input",
        toml.to_str().unwrap(),
        "--epochs",
        "2",
        "--bare",
        "--json",
    ];
    let ended = Process::start(&given.path(""), args).wait().expect(0);
    let object: Value = serde_json::from_str(ended.stdout.lines().last().unwrap()).unwrap();
    let number = |key: &str| object[key].as_f64().unwrap_or_else(|| panic!("{key} in {object}"));
    assert_eq!(number("images"), 24.0);
    assert_eq!(number("skipped"), 0.0);
    assert!(number("images_per_s") > 0.0 && number("bare_images_per_s") > 0.0 && number("ratio") > 0.0);
    assert!(number("peak_anonymous_bytes") > 1e5);
    let verdict = object["verdict"].as_str().expect("words");
    assert!(!verdict.contains("short") && !verdict.contains("device"), "{verdict}");
    let epochs: Vec<f64> = object["epochs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e.as_f64().unwrap())
        .collect();
    assert_eq!(epochs.len(), 2);
    assert!((number("images_per_s") - f64::midpoint(epochs[0], epochs[1])).abs() < 1e-6);
    assert!(!given.path("out").exists(), "a benchmark leaves no run behind");
}

/// Each augmentation changes what is learnt, and none depends on the number of workers.
#[test]
fn every_augmentation_is_the_same_for_any_number_of_workers() {
    let given = Given::new(6, 2);
    let kinds = [
        "augment.flip=0.5",
        "augment.random_resized_crop={ area = [0.3, 1.0] }",
        "augment.jitter={ brightness = 0.4, contrast = 0.4, saturation = 0.4 }",
        "augment.cutout=12",
    ];
    let mut results = Vec::new();
    for (i, kind) in kinds.iter().enumerate() {
        let mut pair = Vec::new();
        for workers in ["1", "3"] {
            let out = format!("out-{i}-{workers}");
            let sets = [
                *kind,
                &format!("run.out={out}"),
                &format!("decode.workers={workers}"),
                &format!("augment.workers={workers}"),
                "run.hash_pixels=true",
            ];
            run(&given, &sets).expect(0);
            pair.push(result(&given.path(&out)));
        }
        assert_eq!(pair[0], pair[1], "{kind}");
        results.push(pair.remove(0));
    }
    for i in 1..results.len() {
        assert_ne!(results[0], results[i], "{}", kinds[i]);
    }
}
