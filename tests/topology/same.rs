//! Adding and removing workers changes no bit of what is learnt.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use pipeline::control::{self, Ending, Watch};
use pipeline::flow::{Meters, Stop};
use pipeline::model::checkpoint;
use pipeline::stages::compute::Reports;
use pipeline::topology;

use crate::given::{self, Given};

/// Weights and momentum by name, as bits, after a run in which `on_report` may open and close gates.
fn weights(sets: &[&str], on_report: impl Fn(u64, &Meters) + Send + 'static) -> Vec<(String, Vec<u32>, Vec<u32>)> {
    let given = Given::new(20, 2);
    let mut plan = given.plan(sets);
    // A fixed number, whatever the machine has.
    plan.cores = 5;
    let meters: Arc<OnceLock<Arc<Meters>>> = Arc::default();
    let late = Arc::clone(&meters);
    let listen = move |reports: Reports| {
        let mut count = 0;
        reports.pass(|_| {
            count += 1;
            on_report(count, late.get().expect("set before the start"));
        })
    };
    let stop = Stop::default();
    let topology = topology::training(&plan, given::beginning(&plan), &stop, listen).expect("the layers exist");
    let _ = meters.set(Arc::clone(&topology.meters));
    let watch = Watch {
        stall_after: Duration::from_mins(1),
        on_fault: Box::new(|_, _| {}),
        on_stop: Box::new(|| {}),
    };
    let ending = control::supervise(topology, &stop, watch);
    assert!(matches!(ending, Ending::Finished), "{ending:?}");
    let (_, newest) = checkpoint::list(&plan.config.run.out.join("checkpoints"))
        .expect("the folder")
        .pop()
        .expect("a checkpoint");
    let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect();
    let loaded = checkpoint::read(&newest).expect("it is whole");
    loaded
        .parameters
        .iter()
        .map(|p| (p.name.clone(), bits(&p.value), bits(&p.momentum)))
        .collect()
}

#[test]
fn workers_that_come_and_go_change_no_bit() {
    let common = ["run.epochs=6", "augment.queue=2"];
    let one = ["decode.workers=1", "augment.workers=1"];
    let auto = ["decode.workers=auto", "augment.workers=auto"];
    let expected = weights(&[&common[..], &one].concat(), |_, meters| {
        assert!(
            meters
                .stages
                .iter()
                .all(|stage| stage.gate.is_none() && stage.workers == 1)
        );
    });
    let found = weights(&[&common[..], &auto].concat(), |count, meters| {
        let gates = meters.stages.iter().filter_map(|stage| stage.gate.as_ref());
        for (i, gate) in gates.enumerate() {
            gate.set_open(1 + (count as usize * (i + 2)) % 5);
        }
    });
    assert_eq!(expected, found);
}
