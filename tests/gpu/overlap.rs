//! The order of copies and computation: no wait is missing, none is there twice, and a copy does not wait for the step before.

use std::fs;
use std::sync::Arc;

use pipeline::config::devices::{DeviceName, Kind};
use pipeline::config::model::Layer;
use pipeline::devices::row::{Subtract, View};
use pipeline::flow::Slot;
use pipeline::model::{Device, Job, Running, Spec, Targets, devices, init};
use pipeline::ops::Shape;
use pipeline::ops::sgd::Rate;

use crate::emulated::{is_there, passes, run_alone};
use crate::given::Given;
use crate::runs::on_gpu;

const SIDE: usize = 9;
const BATCH: usize = 4;
const STEPS: u64 = 6;

const RATE: Rate = Rate {
    lr: 0.02,
    momentum: 0.9,
    weight_decay: 5e-4,
    frozen: false,
};

fn spec() -> Spec {
    let layers = [
        Layer::Convolution(pipeline::config::model::Convolution {
            name: "conv1".to_owned(),
            channels: 4,
            kernel: 3,
            stride: 2,
            padding: 1,
            groups: 1,
            partial_windows: false,
            init: pipeline::config::model::Init::He,
            bias: 0.1,
        }),
        Layer::Relu,
        Layer::Dropout(pipeline::config::model::Dropout { p: 0.3 }),
        Layer::FullyConnected(pipeline::config::model::FullyConnected {
            name: "fc2".to_owned(),
            outputs: None,
            init: pipeline::config::model::Init::He,
            bias: 0.0,
        }),
    ];
    Spec::new(&layers, Shape::new(3, SIDE, SIDE), 3).unwrap()
}

fn device(spec: &Spec) -> Box<dyn Device> {
    let name = DeviceName::new(Kind::Cuda, 0).unwrap();
    let mut device = devices::build_alone(&Job::new(spec, BATCH), name).unwrap();
    device.load(&init::parameters(spec, 1, 1).unwrap()).unwrap();
    device
}

/// Images that differ from step to step.
fn slot(step: u64, device: &mut dyn Device) -> Arc<Slot> {
    let writer = devices::row_writer(DeviceName::new(Kind::Cuda, 0).unwrap(), SIDE);
    let write = |image: usize, row: &mut [u8]| {
        let pixel = |i: usize| (i as u64 * 37 + image as u64 * 101 + step * 71) as u8;
        let pixels: Vec<u8> = (0..SIDE * SIDE * 3).map(pixel).collect();
        writer.write(
            &View {
                pixels: &pixels,
                line: 3 * SIDE,
                flip: false,
                mix: None,
                subtract: Subtract::Channel([128.0; 3]),
                colour: [0.0; 3],
                scale: [1.0 / 64.0; 3],
                hole: None,
            },
            row,
        );
    };
    let mut slot = Slot::filled(BATCH, writer.row_bytes(), write).unwrap();
    device.pin(&mut slot).unwrap();
    Arc::new(slot)
}

/// When a loss is waited for.
#[derive(Clone, Copy, PartialEq)]
enum When {
    /// Before the rows have left their slot.
    First,
    /// Before the next step.
    Then,
    /// After all steps.
    Last,
}

/// The losses of some steps.
fn losses(when: When) -> Vec<f64> {
    let spec = spec();
    let mut device = device(&spec);
    let targets = Targets::new((0..BATCH as u32).map(|row| (row % 3, true)));
    let rates = vec![RATE; spec.parameter_specs().count()];
    let (mut running, mut slots) = (Vec::new(), Vec::new());
    for step in 0..STEPS {
        let slot = slot(step, &mut *device);
        let copy = device.copy_rows(&slot, BATCH).unwrap();
        let mut loss = device.train(step, &targets, &rates).unwrap();
        if when == When::First {
            loss = Running::done(loss.wait().unwrap());
        }
        copy.wait().unwrap();
        // Whoever has the slot next writes to it. (To unpin it would be to wait.)
        let mut slot = Arc::into_inner(slot).expect("nobody else has it");
        slot.pages().fill(0);
        slots.push(slot);
        if when == When::Then {
            loss = Running::done(loss.wait().unwrap());
        }
        running.push(loss);
    }
    running.into_iter().map(|loss| loss.wait().unwrap().sum).collect()
}

#[test]
#[ignore = "it needs a GPU; the tests below give it an emulated one"]
fn steps_in_flight() {
    println!("{:?}", losses(When::Last));
}

#[test]
#[ignore = "it needs a GPU; the tests below give it an emulated one"]
fn steps_before_copies() {
    println!("{:?}", losses(When::First));
}

#[test]
#[ignore = "it needs a GPU; the tests below give it an emulated one"]
fn steps_one_by_one() {
    println!("{:?}", losses(When::Then));
}

/// What one of the tests above prints, or how it failed.
fn printed(test: &str, options: &[&str]) -> String {
    let ended = run_alone(test, options);
    let out = String::from_utf8_lossy(&ended.stdout).into_owned();
    let line = out.lines().find(|line| line.starts_with('['));
    line.map_or(format!("failed: {out}"), ToOwned::to_owned)
}

const LAZY: [&str; 2] = ["--schedule", "lazy"];

#[test]
fn steps_in_flight_are_the_steps_one_by_one() {
    if !is_there() {
        return;
    }
    let expected = printed("overlap::steps_one_by_one", &["--schedule", "eager"]);
    assert!(expected.starts_with('['), "{expected}");
    for schedule in ["lazy", "threads", "random:1", "random:2"] {
        assert_eq!(
            printed("overlap::steps_in_flight", &["--schedule", schedule]),
            expected,
            "{schedule}"
        );
    }
}

/// Asserts that with a wait left out, a test comes to other losses.
fn assert_differs(test: &str, fault: &str, expected: &str) {
    let came = printed(test, &[&LAZY[..], &["--faults", fault]].concat());
    assert!(came.starts_with('['), "{fault}: {came}");
    assert_ne!(came, expected, "{fault} makes no difference");
}

/// Each wait that the device makes is needed: left out, it changes a result under the schedule with the longest delays.
#[test]
fn no_wait_can_be_left_out() {
    if !is_there() {
        return;
    }
    let expected = printed("overlap::steps_in_flight", &LAZY);
    assert!(expected.starts_with('['), "{expected}");
    // Streams: each step waits for its copy; from the third step on, and before that, the copy waits for the input that was
    // made of the rows in its place. Which of them shows depends on what the program waits for first.
    for wait in 1..=2 + 2 * (STEPS - 2) {
        let is_of_copy = wait > 2 && wait % 2 == 1;
        let test = if is_of_copy {
            "overlap::steps_in_flight"
        } else {
            "overlap::steps_before_copies"
        };
        let fault = format!("unwaited:{wait}");
        assert_differs(test, &fault, &expected);
    }
    // The program: in turn, for a copy before the slot is written again, and for a loss.
    for wait in 1..=2 * STEPS {
        let fault = format!("unsynchronized:{wait}");
        let came = printed(
            "overlap::steps_one_by_one",
            &[&LAZY[..], &["--faults", &fault]].concat(),
        );
        assert_ne!(came, expected, "{fault} makes no difference");
    }
}

/// The lines of the emulator's log so far.
fn log() -> Vec<String> {
    let path = std::env::var("EMULATED_GPU_LOG").expect("a log was asked for");
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(ToOwned::to_owned).collect()
}

#[test]
#[ignore = "it needs an emulated GPU with a log; the test below gives it one"]
fn second_copy_comes_before_the_first_step() {
    let spec = spec();
    let mut device = device(&spec);
    let targets = Targets::new((0..BATCH as u32).map(|row| (row % 3, true)));
    let rates = vec![RATE; spec.parameter_specs().count()];
    let slots = [0, 1].map(|step| slot(step, &mut *device));
    let first = device.copy_rows(&slots[0], BATCH).unwrap();
    let step = device.train(0, &targets, &rates).unwrap();
    device.copy_rows(&slots[1], BATCH).unwrap().wait().unwrap();
    // Under the lazy schedule only what the second copy waits for has run: nothing of the step.
    assert!(
        !log().iter().any(|line| line.starts_with("run kernel=")),
        "the copy waited for the step"
    );
    step.wait().unwrap();
    first.wait().unwrap();
    assert!(log().iter().any(|line| line.starts_with("run kernel=sgd_update")));
}

#[test]
fn a_copy_does_not_wait_for_the_step_before() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log").display().to_string();
    let options = [&LAZY[..], &["--log", &log]].concat();
    passes("overlap::second_copy_comes_before_the_first_step", &options);
}

/// In steady state nothing is allocated, and nothing is waited for but rows that leave their slot and losses.
#[test]
fn a_step_allocates_nothing_and_waits_for_two_events() {
    if !is_there() {
        return;
    }
    let given = Given::new(16, 1);
    let log = given.path("log").display().to_string();
    let sets = ["compute.devices=[\"cuda:0\"]", "checkpoint.every_steps=1000"];
    on_gpu(&given, &["--log", &log], false, &sets).expect(0);
    let text = fs::read_to_string(&log).unwrap();
    let calls: Vec<&str> = text.lines().filter(|line| line.starts_with("call ")).collect();
    let update = |line: &&&str| line.contains("kernel=sgd_update ");
    let steps = calls.iter().filter(update).count();
    assert!(steps >= 9, "{steps} steps");
    // From one step's update to the next one's, where nothing but a step is between.
    let at: Vec<usize> = (0..calls.len()).filter(|i| update(&&calls[*i])).collect();
    let between = at.windows(2).map(|pair| &calls[pair[0]..pair[1]]).skip(1);
    let plain = between.filter(|calls| !calls.iter().any(|line| line.contains("kernel=softmax_forward ")));
    let plain: Vec<&[&str]> = plain.collect();
    assert!(plain.len() >= 4, "{} steps follow a step", plain.len());
    let name = |line: &str| line.split(' ').nth(1).unwrap_or_default().to_owned();
    let known = [
        "cuLaunchKernel",
        "cuMemcpyHtoDAsync_v2",
        "cuMemcpyDtoHAsync_v2",
        "cuStreamWaitEvent",
        "cuEventRecord",
        "cuEventSynchronize",
        "cuCtxGetCurrent",
    ];
    let mut waits = 0;
    for line in plain.iter().copied().flatten() {
        assert!(known.contains(&name(line).as_str()), "{line}");
        assert!(!line.contains("Async") || line.contains("host=pinned"), "{line}");
        waits += usize::from(name(line) == "cuEventSynchronize");
    }
    // The two threads do not wait in step.
    assert!(
        waits.abs_diff(2 * plain.len()) <= 4,
        "{waits} waits in {} steps",
        plain.len()
    );
}
