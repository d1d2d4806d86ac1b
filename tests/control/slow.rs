//! A running flow names the stage that limits it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pipeline::flow::{Stop, Verdict};

use crate::loss::within;
use crate::simulated::Simulated;

/// Each stage in turn sleeps longer than all others together, and must be the one named.
#[test]
fn a_stage_that_was_made_slow_is_named() {
    for (slow, bound) in [
        ("source", "source"),
        ("decode", "decode"),
        ("augment", "augment"),
        ("staging", "staging"),
        ("compute", "compute"),
        ("cpu", "compute"),
        ("record", "record"),
    ] {
        let readings = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&readings);
        within(Duration::from_secs(60), move || {
            let flow = Simulated {
                pauses: vec![(slow, Duration::from_millis(8))],
                ..Simulated::of(60)
            };
            flow.run(&Stop::default(), move |item, meters| {
                // Not at the beginning, which fills the queues, nor at the end, which empties them.
                if item == 15 || item == 45 {
                    kept.lock().expect("no panic").push(meters.read());
                }
            })
        });
        let readings = readings.lock().expect("no panic");
        let verdict = Verdict::new(&readings[0], &readings[1]).expect("time has passed");
        assert_eq!((verdict.stage, verdict.bound), (slow, bound), "{}", verdict.text);
        let share = verdict.share(slow).expect("it is there");
        assert!(share.busy > 0.6, "{}: {share:?}", verdict.text);
        if slow == "decode" {
            let device = verdict.share("cpu").expect("it is there");
            assert!(device.input_wait > 0.5, "{device:?}");
            let source = verdict.share("source").expect("it is there");
            assert!(source.room_wait > 0.5, "{source:?}");
        }
    }
}
