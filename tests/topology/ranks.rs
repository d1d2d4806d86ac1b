//! Two processes that share a training set get the same rows as one: the same samples, crops, colours and pixels.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pipeline::control::{self, Ending, Watch};
use pipeline::flow::Stop;
use pipeline::stages::messages::Phase;
use pipeline::topology;

use crate::given::Given;

/// For each training step, the hashes of everything that made its rows; `None` for a row of padding.
fn streams(given: &Given, sets: &[&str]) -> Vec<Vec<Option<u64>>> {
    let common = [
        "run.epochs=3",
        "run.hash_pixels=true",
        "augment.jitter={ brightness = 0.4, contrast = 0.4, saturation = 0.4 }",
    ];
    let plan = given.plan(&[&common[..], sets].concat());
    let stop = Stop::default();
    let seen = Arc::<Mutex<Vec<_>>>::default();
    let steps = Arc::clone(&seen);
    let topology = topology::feeding(&plan, None, &stop, move |batch| {
        if batch.header.position.phase == Phase::Train {
            let hash = |fact: &pipeline::stages::RowFact| fact.is_present().then_some(fact.stream);
            steps
                .lock()
                .expect("no panic")
                .push(batch.facts.iter().map(hash).collect());
        }
    });
    let topology = topology.unwrap_or_else(|error| panic!("{error}"));
    let ending = control::supervise(topology, &stop, Watch::silent(Duration::from_mins(1)));
    assert!(matches!(ending, Ending::Finished), "{ending:?}");
    std::mem::take(&mut *seen.lock().expect("no panic"))
}

#[test]
fn two_ranks_streams_unite_to_that_of_one() {
    // 33 samples in global batches of 16: one remains for the last step of an epoch, where rank 1 gets padding.
    let given = Given::new(11, 1);
    let whole = streams(&given, &["staging.batch=16"]);
    let parts = ["data.rank=0", "data.rank=1"].map(|rank| streams(&given, &["staging.batch=8", "data.ranks=2", rank]));
    assert_eq!((whole.len(), parts[0].len(), parts[1].len()), (9, 9, 9));
    for (step, rows) in whole.iter().enumerate() {
        let mut own = parts.each_ref().map(|part| part[step].iter().copied());
        let united: Vec<Option<u64>> = (0..rows.len()).map(|row| own[row % 2].next().flatten()).collect();
        assert_eq!(*rows, united, "step {step}");
    }
    assert_eq!((&parts[1][2], parts[1][1].len()), (&vec![None], 8));
}
