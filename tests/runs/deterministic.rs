//! Workers, queues, slots and threads never change a bit.

use crate::given::Given;
use crate::process::{Result, of_kind, result, run};

#[test]
fn weights_and_stream_are_the_same_whatever_the_numbers_of_workers() {
    let given = Given::new(20, 4);
    let variants: [&[&str]; 6] = [
        // Automatic workers.
        &[],
        &["decode.workers=1", "augment.workers=1"],
        &["decode.workers=3", "augment.workers=3", "compute.threads=2"],
        &[
            "decode.queue=1",
            "augment.queue=1",
            "staging.queue=1",
            "staging.slots=1",
            "compute.threads=1",
        ],
        &[
            "decode.queue=7",
            "augment.queue=7",
            "staging.queue=7",
            "compute.queue=7",
            "staging.slots=4",
            "compute.threads=3",
        ],
        &[
            "decode.workers=1",
            "augment.workers=3",
            "staging.slots=4",
            "observe.queue=1",
            "checkpoint.every_steps=1",
        ],
    ];
    let mut first: Option<(Result, Vec<String>)> = None;
    for (i, variant) in variants.into_iter().enumerate() {
        let out = format!("run.out=run-{i}");
        let common = [
            "run.hash_pixels=true",
            "evaluate.crops=10",
            "augment.pca={ sigma = 0.1, scale = \"stddev\" }",
            out.as_str(),
        ];
        run(&given, &[variant, &common].concat()).expect(0);
        let folder = given.path(&format!("run-{i}"));
        let streams = of_kind(&folder, "step")
            .iter()
            .map(|event| event["stream"].to_string())
            .collect();
        let found = (result(&folder), streams);
        match &first {
            None => first = Some(found),
            Some(first) => assert_eq!(&found, first, "{variant:?}"),
        }
    }
}

#[test]
fn another_seed_gives_another_stream() {
    let given = Given::new(4, 1);
    run(&given, &["run.out=a"]).expect(0);
    run(&given, &["run.out=b", "run.seed=8"]).expect(0);
    assert_ne!(result(&given.path("a")).stream, result(&given.path("b")).stream);
}
