//! Workers are added where they help and removed where they do not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use pipeline::control::tuning::Tuning;
use pipeline::flow::meter::Change;
use pipeline::flow::{Reading, Stop};
use pipeline::plan::Crew;

use crate::loss::within;
use crate::readings::{Made, reading};
use crate::simulated::Simulated;

/// Runs until decode has `wanted` workers, however long that takes; returns the number that it has at the end.
fn workers_after(flow: Simulated, wanted: usize) -> usize {
    const LIMIT: Duration = Duration::from_secs(60);
    let open = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&open);
    within(2 * LIMIT, move || {
        let (stop, start) = (Stop::default(), Instant::now());
        let ask = stop.clone();
        flow.run(&stop, move |_, meters| {
            let gate = meters.stages[1].gate.as_ref().expect("decode has one");
            // Once the flow is asked to end, the gate opens for all.
            if !ask.is_requested() {
                seen.store(gate.open(), SeqCst);
            }
            if gate.open() == wanted || start.elapsed() > LIMIT {
                ask.request();
            }
        });
    });
    open.load(SeqCst)
}

#[test]
fn a_slow_decode_before_a_starving_device_gets_more_workers() {
    let flow = Simulated {
        pauses: vec![("decode", Duration::from_millis(20)), ("cpu", Duration::from_millis(5))],
        crew: Crew { start: 1, max: 4 },
        ..Simulated::of(u64::MAX)
    };
    assert_eq!(workers_after(flow, 3), 3);
}

#[test]
fn a_fast_decode_before_a_slow_device_gives_workers_back() {
    let flow = Simulated {
        pauses: vec![("decode", Duration::from_millis(1)), ("cpu", Duration::from_millis(20))],
        crew: Crew { start: 3, max: 4 },
        ..Simulated::of(u64::MAX)
    };
    assert_eq!(workers_after(flow, 1), 1);
}

/// The decisions after readings two seconds apart that all look like `made`.
fn decisions(made: &Made, ticks: u32) -> Vec<Change> {
    let mut tuning = Tuning::default();
    let mut made = made.clone();
    let mut sum: Option<Reading> = None;
    let mut changes = Vec::new();
    for _ in 0..ticks {
        let next = reading(sum.as_ref(), &made);
        if let Some(change) = tuning.look(next.clone()) {
            made.open_decoders = change.to;
            changes.push(change);
        }
        sum = Some(next);
    }
    changes
}

const STARVING: Made = Made {
    images_per_s: 100.0,
    decode: 0.98,
    open_decoders: 2,
    cpu: 0.6,
    cores_busy: 3.0,
    cores: 8,
};

#[test]
fn a_decision_says_its_reason_with_numbers() {
    let first = decisions(&STARVING, 4).remove(0);
    assert_eq!(
        first.to_string(),
        "decode workers 2 → 3: the device waited 40 % of the last 4 s for input"
    );
}

#[test]
fn a_worker_that_brings_nothing_is_taken_back_and_not_tried_again_at_once() {
    let changes = decisions(&STARVING, 20);
    let numbers: Vec<_> = changes.iter().map(|change| (change.from, change.to)).collect();
    assert_eq!(numbers, [(2, 3), (3, 2)]);
    assert_eq!(
        changes[1].reason,
        "the last added worker did not help: 100 images/s before, 100 with it"
    );
    assert_eq!(decisions(&STARVING, 45).len(), 4, "a minute later it is tried again");
}

#[test]
fn nothing_is_changed_without_need_or_without_cores() {
    let fed = Made {
        cpu: 0.95,
        decode: 0.97,
        ..STARVING
    };
    let full = Made {
        cores_busy: 7.8,
        ..STARVING
    };
    let at_the_limit = Made {
        open_decoders: 8,
        ..STARVING
    };
    let still = Made {
        images_per_s: 0.0,
        ..STARVING
    };
    for made in [fed, full, at_the_limit, still] {
        assert_eq!(decisions(&made, 40), [], "{made:?}");
    }
}

#[test]
fn a_fed_device_gives_back_what_it_does_not_need() {
    let made = Made {
        cpu: 1.0,
        decode: 0.2,
        open_decoders: 4,
        ..STARVING
    };
    let changes = decisions(&made, 4);
    assert_eq!((changes[0].from, changes[0].to), (4, 3));
    assert_eq!(
        changes[0].reason,
        "the device gets enough input, and 3 workers would be busy 27 % of the time"
    );
}
