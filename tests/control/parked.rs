//! Parked workers take nothing, and they end with their stage, whatever ends it.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pipeline::control::Ending;
use pipeline::flow::{Exit, Stop};
use pipeline::plan::Crew;

use crate::loss::within;
use crate::simulated::{Break, Simulated};

const LIMIT: Duration = Duration::from_secs(30);

fn parked(items: u64) -> Simulated {
    Simulated {
        crew: Crew { start: 1, max: 8 },
        // No core is free, so no stage is given a worker.
        cores: 0,
        ..Simulated::of(items)
    }
}

#[test]
fn a_flow_with_parked_workers_ends_at_the_end_of_data_with_every_item() {
    let seen = Arc::new(Mutex::new(HashSet::new()));
    let count = Arc::clone(&seen);
    let ending = within(LIMIT, move || {
        parked(500).run(&Stop::default(), move |item, _| {
            count.lock().expect("no panic").insert(item);
        })
    });
    assert!(matches!(ending, Ending::Finished), "{ending:?}");
    assert_eq!(seen.lock().expect("no panic").len(), 500);
}

#[test]
fn a_flow_with_parked_workers_stops() {
    let ending = within(LIMIT, || {
        let stop = Stop::default();
        let ask = stop.clone();
        let on_item = move |item, _: &_| {
            if item == 100 {
                ask.request();
            }
        };
        parked(u64::MAX).run(&stop, on_item)
    });
    assert!(matches!(ending, Ending::Stopped), "{ending:?}");
}

#[test]
fn the_loss_of_any_stage_ends_a_flow_with_parked_workers() {
    for at in ["decode", "augment", "staging", "compute", "cpu", "record"] {
        for how in [Break::Panic, Break::Fail] {
            let ending = within(LIMIT, move || {
                let mut flow = parked(u64::MAX);
                flow.breaks = Some((at, 50, how));
                flow.run(&Stop::default(), |_, _| {})
            });
            let Ending::Faulted { stage, exit } = ending else {
                panic!("{at}: {ending:?}")
            };
            assert_eq!(stage, at);
            assert_eq!(matches!(exit, Exit::Panicked(_)), matches!(how, Break::Panic), "{exit}");
        }
    }
}

/// Workers are parked and released all the time while items pass and while the flow ends.
#[test]
fn a_gate_that_never_rests_loses_no_item_and_hangs_nowhere() {
    for round in 0..20 {
        let seen = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&seen);
        let ending = within(LIMIT, move || {
            parked(300 + round).run(&Stop::default(), move |item, meters| {
                count.fetch_add(1, SeqCst);
                let gate = meters.stages[1].gate.as_ref().expect("decode has one");
                gate.set_open(1 + (item % 8) as usize);
            })
        });
        assert!(matches!(ending, Ending::Finished), "{ending:?}");
        assert_eq!(seen.load(SeqCst) as u64, 300 + round);
    }
}
