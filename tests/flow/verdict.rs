//! What holds a flow up is named, with numbers that are right.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pipeline::flow::meter::StageReading;
use pipeline::flow::{Reading, Role, Stop, Verdict};
use proptest::prelude::*;

use crate::loss::within;
use crate::simulated::Simulated;

/// A made-up flow in a steady state.
#[derive(Clone, Debug)]
pub struct Made {
    pub images_per_s: f64,
    /// Share of the time that decode is busy.
    pub decode: f64,
    pub open_decoders: usize,
    /// Share that the device is busy.
    pub cpu: f64,
    pub cores_busy: f64,
    pub cores: usize,
}

const TICK: f64 = 2.0;

fn stage(name: &'static str, role: Role, workers: usize) -> StageReading {
    StageReading {
        name,
        role,
        workers,
        open: workers,
        has_gate: name == "decode",
        can_widen: name == "decode",
        remedy: if name == "decode" { "smaller images" } else { "" },
        items: 0,
        running: Duration::ZERO,
        parked: Duration::ZERO,
        input_wait: Duration::ZERO,
        room_wait: Duration::ZERO,
    }
}

/// Two seconds after `before` in the flow `made`: decode has 8 workers, of which some are parked.
pub fn reading(before: Option<&Reading>, made: &Made) -> Reading {
    let start = || Reading {
        at: Duration::ZERO,
        cpu: Duration::ZERO,
        cores: made.cores,
        images: 0,
        stages: vec![
            stage("source", Role::Input, 1),
            stage("decode", Role::Input, 8),
            stage("cpu", Role::Device, 1),
        ],
    };
    let mut reading = before.cloned().unwrap_or_else(start);
    let seconds = |seconds: f64| Duration::from_secs_f64(seconds);
    reading.at += seconds(TICK);
    reading.cpu += seconds(TICK * made.cores_busy);
    reading.images += (made.images_per_s * TICK) as u64;
    for stage in &mut reading.stages {
        stage.running += seconds(TICK * stage.workers as f64);
        match stage.name {
            "decode" => {
                stage.open = made.open_decoders;
                stage.parked += seconds(TICK * (8 - made.open_decoders) as f64);
                stage.room_wait += seconds(TICK * made.open_decoders as f64 * (1.0 - made.decode));
            }
            "cpu" => stage.input_wait += seconds(TICK * (1.0 - made.cpu)),
            _ => stage.room_wait += seconds(TICK * 0.99),
        }
    }
    reading
}

fn of(made: &Made) -> Verdict {
    let before = reading(None, made);
    Verdict::new(&before, &reading(Some(&before), made)).expect("time has passed")
}

#[test]
fn verdicts_in_words() {
    let input = Made {
        images_per_s: 100.0,
        decode: 1.0,
        open_decoders: 2,
        cpu: 0.62,
        cores_busy: 3.0,
        cores: 8,
    };
    let cases = [
        (
            input.clone(),
            "input-bound at decode: 61 images/s short; 2 more decode workers would give about +61 %",
        ),
        (
            Made {
                cores_busy: 7.5,
                ..input.clone()
            },
            "input-bound at decode: 61 images/s short; 1 more decode worker would give about +25 %",
        ),
        (
            Made {
                cores_busy: 2.0,
                cores: 2,
                ..input.clone()
            },
            "input-bound at decode: 61 images/s short, and all 2 cores are busy: more workers would not help; smaller \
             images would",
        ),
        (
            Made {
                cores_busy: 1.0,
                cores: 1,
                ..input.clone()
            },
            "input-bound at decode: 61 images/s short, and the only core is busy: more workers would not help; smaller \
             images would",
        ),
        (
            Made {
                cpu: 0.0,
                ..input.clone()
            },
            "input-bound at decode: the device has next to nothing to do; 5 more decode workers would give about +250 %",
        ),
        (
            Made {
                decode: 0.43,
                cpu: 0.98,
                ..input.clone()
            },
            "compute-bound: the device is busy 98 % of the time; the input could give 2.3 times as many images/s",
        ),
        (
            Made {
                decode: 0.4,
                cpu: 0.5,
                ..input.clone()
            },
            "compute-bound: the device is busy 50 % of the time; the input could give 2.5 times as many images/s; no stage \
             is busy all the time: they wait for each other, and more slots or longer queues may help",
        ),
        (
            Made {
                images_per_s: 0.0,
                ..input
            },
            "no image passed in 2.0 s; the busiest stage was decode",
        ),
    ];
    for (made, text) in cases {
        assert_eq!(of(&made).text, text, "{made:?}");
    }
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
        (verdict.bound, verdict.stage, decode.open, decode.most),
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

/// Sums of which nothing is promised: readings of many clocks are never of one moment.
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

/// Each stage in turn sleeps longer than all others together: it is the one that is named.
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
                // Not the beginning, which fills queues, nor the end, which empties them.
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
