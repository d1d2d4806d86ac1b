//! The verdict names the stage that limits a flow, with correct numbers.

use std::time::Duration;

use pipeline::flow::meter::StageReading;
use pipeline::flow::{Reading, Role, Verdict};
use proptest::prelude::*;

use crate::readings::{Made, reading, stage};

fn of(made: &Made) -> Verdict {
    let before = reading(None, made);
    Verdict::new(&before, &reading(Some(&before), made)).expect("time has passed")
}

/// A flow whose decoders are busy all the time.
const INPUT: Made = Made {
    images_per_s: 100.0,
    decode: 1.0,
    open_decoders: 2,
    cpu: 0.62,
    cores_busy: 3.0,
    cores: 8,
};

fn is_said_of(cases: &[(Made, &str)]) {
    for (made, text) in cases {
        assert_eq!(of(made).text, *text, "{made:?}");
    }
}

#[test]
fn a_bound_by_the_input_in_words() {
    is_said_of(&[
        (
            INPUT,
            "input-bound at decode: 61 images/s short; 2 more decode workers would give about +61 %",
        ),
        (
            Made {
                cores_busy: 7.5,
                ..INPUT
            },
            "input-bound at decode: 61 images/s short; 1 more decode worker would give about +25 %",
        ),
        (
            Made {
                cores_busy: 2.0,
                cores: 2,
                ..INPUT
            },
            "input-bound at decode: 61 images/s short, and all 2 cores are busy: more workers would not help; smaller \
             images would",
        ),
        (
            Made {
                cores_busy: 1.0,
                cores: 1,
                ..INPUT
            },
            "input-bound at decode: 61 images/s short, and the only core is busy: more workers would not help; smaller \
             images would",
        ),
        (
            Made { cpu: 0.0, ..INPUT },
            "input-bound at decode: the device is almost idle; 5 more decode workers would give about +250 %",
        ),
    ]);
}

#[test]
fn other_bounds_in_words() {
    is_said_of(&[
        (
            Made {
                decode: 0.43,
                cpu: 0.98,
                ..INPUT
            },
            "compute-bound: the device is busy 98 % of the time; the input could deliver 2.3 times as many images/s",
        ),
        (
            Made {
                decode: 0.4,
                cpu: 0.5,
                ..INPUT
            },
            "compute-bound: the device is busy 50 % of the time; the input could deliver 2.5 times as many images/s; no stage \
             is busy all the time: the stages wait for each other, so more slots or longer queues may help",
        ),
        (
            Made {
                images_per_s: 0.0,
                ..INPUT
            },
            "no image passed in 2.0 s; the busiest stage was decode",
        ),
    ]);
}

#[test]
fn shares_are_of_the_workers_that_take_part() {
    let verdict = of(&Made {
        images_per_s: 100.0,
        decode: 0.75,
        open_decoders: 2,
        cpu: 0.5,
        cores_busy: 1.0,
        cores: 8,
    });
    let decode = verdict.share("decode").expect("it is there");
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-6, "{a} {b}");
    close(decode.workers, 2.0);
    close(decode.busy, 0.75);
    close(decode.room_wait, 0.25);
    close(verdict.device_wait.expect("there is a device"), 0.5);
    close(verdict.free_cores, 7.0);
    assert_eq!(
        (verdict.bound, verdict.stage, decode.open, decode.max),
        ("decode", "decode", 2, 8)
    );
}

#[test]
fn without_time_or_stages_there_is_none() {
    let made = Made {
        images_per_s: 1.0,
        decode: 0.5,
        open_decoders: 1,
        cpu: 0.5,
        cores_busy: 1.0,
        cores: 1,
    };
    let mut before = reading(None, &made);
    assert!(Verdict::new(&before, &before).is_none());
    let mut after = reading(Some(&before), &made);
    before.stages.clear();
    after.stages.clear();
    assert!(Verdict::new(&before, &after).is_none());
}

fn any_duration() -> impl Strategy<Value = Duration> {
    prop_oneof![Just(0u64), 0u64..10_000_000].prop_map(Duration::from_micros)
}

fn any_stage(name: &'static str, role: Role) -> impl Strategy<Value = StageReading> {
    let times = (any_duration(), any_duration(), any_duration(), any_duration());
    (times, 1usize..9, 0usize..10, any::<bool>()).prop_map(move |(times, workers, open, can_widen)| StageReading {
        open,
        can_widen,
        running: times.0,
        parked: times.1,
        input_wait: times.2,
        room_wait: times.3,
        ..stage(name, role, workers)
    })
}

/// Arbitrary totals: readings of many clocks are never of the same moment.
fn any_reading() -> impl Strategy<Value = Reading> {
    let stages = (
        any_stage("source", Role::Input),
        any_stage("decode", Role::Input),
        any_stage("compute", Role::Driver),
        any_stage("cpu", Role::Device),
        any_stage("save", Role::Output),
    );
    (any_duration(), any_duration(), 0usize..65, 0u64..1000, stages).prop_map(|(at, cpu, cores, images, s)| Reading {
        at,
        cpu,
        cores,
        images,
        stages: vec![s.0, s.1, s.2, s.3, s.4],
    })
}

proptest! {
    #[test]
    fn the_busiest_stage_is_named_and_every_number_is_one(before in any_reading(), after in any_reading()) {
        let Some(verdict) = Verdict::new(&before, &after) else {
            prop_assert!(after.at <= before.at);
            return Ok(());
        };
        let named = verdict.share(verdict.stage).expect("it is one of them").busy;
        for share in &verdict.stages {
            prop_assert!(share.busy <= named, "{} is busier than {}", share.name, verdict.stage);
            for value in [share.busy, share.input_wait, share.room_wait] {
                prop_assert!((0.0..=1.0).contains(&value), "{:?}", share);
            }
        }
        prop_assert!(verdict.images_per_s.is_finite() && verdict.free_cores >= 0.0);
        for word in ["NaN", "inf ", "inf%", "-"] {
            let text = verdict.text.replace("input-bound", "").replace("compute-bound", "");
            prop_assert!(!text.contains(word), "{}", verdict.text);
        }
        prop_assert!(verdict.text.contains(verdict.stage) || verdict.text.contains("device"), "{}", verdict.text);
    }
}
