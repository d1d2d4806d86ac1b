//! Every queue, slot and worker count at 1: the run ends, with the same errors as one with room to spare.

use crate::given::Given;
use crate::process::{of_kind, result, run};

const ONES: [&str; 10] = [
    "decode.workers=1",
    "decode.queue=1",
    "augment.workers=1",
    "augment.queue=1",
    "staging.slots=1",
    "staging.queue=1",
    "compute.threads=1",
    "compute.queue=1",
    "observe.queue=1",
    "checkpoint.keep=1",
];

const ROOMY: [&str; 9] = [
    "decode.workers=3",
    "decode.queue=200",
    "augment.workers=3",
    "augment.queue=200",
    "staging.slots=9",
    "staging.queue=200",
    "compute.threads=2",
    "compute.queue=5",
    "observe.queue=200",
];

#[test]
fn with_one_of_everything_the_errors_are_those_of_a_roomy_run() {
    let given = Given::new(8, 3);
    // 1: a batch per row. 7: the views of an image are split between two batches, and each part has a tail.
    for batch in [1, 7] {
        let common = [
            format!("staging.batch={batch}"),
            "evaluate.crops=10".into(),
            "evaluate.every_epochs=1".into(),
        ];
        let common: Vec<&str> = common.iter().map(String::as_str).collect();
        let mut found = Vec::new();
        for (name, sets) in [("ones", &ONES[..]), ("roomy", &ROOMY)] {
            let name = format!("{name}-{batch}");
            let out = format!("run.out={name}");
            run(&given, &[sets, &common, &[&out]].concat()).expect(0);
            let folder = given.path(&name);
            let evaluations: Vec<String> = of_kind(&folder, "eval")
                .iter()
                .map(|e| {
                    format!(
                        "{} {} {} {} {}",
                        e["step"], e["loss"], e["top1_error"], e["top5_error"], e["images"]
                    )
                })
                .collect();
            assert_eq!(evaluations.len(), 3, "one after each epoch");
            found.push((evaluations, result(&folder)));
        }
        assert_eq!(found[0], found[1], "batches of {batch}");
    }
}

#[test]
fn without_a_validation_set_it_ends_too() {
    let given = Given::new(2, 1);
    let text = given.text();
    let without: Vec<&str> = text.lines().filter(|line| !line.starts_with("val")).collect();
    std::fs::write(given.toml(), without.join("\n")).expect("train.toml is written");
    run(&given, &ONES).expect(0);
    assert_eq!(of_kind(&given.path("run"), "eval").len(), 0);
    assert_eq!(result(&given.path("run")).step, 3);
}
