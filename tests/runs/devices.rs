//! A run on several devices gives the same results as on one.

use std::fs;

use crate::given::Given;
use crate::process::{Process, Result, assert_seamless, of_kind, result, resume, run};

const TWO: &str = "compute.devices=[\"cpu:0\", \"cpu:1\"]";

/// 60 images in batches of 16: the last batch of an epoch has 12 images, 4 of them on the second device.
fn given() -> Given {
    Given::new(20, 5)
}

/// The result of the run in `out`, and the values reported by its steps and evaluations.
fn told(given: &Given, out: &str) -> (Result, Vec<String>) {
    let folder = given.path(out);
    let kinds = ["step", "eval"].map(|kind| of_kind(&folder, kind));
    let text = |event: &serde_json::Value| {
        ["event", "step", "loss", "top1_error", "stream", "images"]
            .map(|key| event[key].to_string())
            .join(" ")
    };
    (result(&folder), kinds.iter().flatten().map(text).collect())
}

#[test]
fn two_devices_come_to_the_bits_of_one() {
    let given = given();
    let common = ["evaluate.crops=10", "checkpoint.every_steps=2"];
    run(&given, &[&common[..], &["run.out=one"]].concat()).expect(0);
    let one = told(&given, "one");
    for (out, variant) in [
        ("two", &["compute.threads=1"][..]),
        (
            "queues",
            &[
                "compute.threads=3",
                "decode.queue=1",
                "augment.queue=1",
                "staging.queue=1",
                "staging.slots=1",
            ],
        ),
        ("other-numbers", &["compute.devices=[\"cpu:3\", \"cpu:1\"]"]),
    ] {
        let out_set = format!("run.out={out}");
        run(&given, &[&common[..], &[TWO, &out_set], variant].concat()).expect(0);
        assert_eq!(told(&given, out), one, "{variant:?}");
        assert_seamless(&given.path(out), one.0.step);
    }
}

#[test]
fn bad_images_are_left_out_of_the_average_over_all_devices() {
    let given = given();
    for image in ["grass/003.jpg", "sky/011.jpg"] {
        fs::write(given.path("train").join(image), "no JPEG").expect("it is damaged");
    }
    let sets = ["run.on_bad_image=skip", "augment.mean=[128.0, 128.0, 128.0]"];
    run(&given, &[&sets[..], &["run.out=one"]].concat()).expect(0);
    run(&given, &[&sets[..], &["run.out=two", TWO]].concat()).expect(0);
    assert_eq!(told(&given, "two"), told(&given, "one"));
}

/// The configuration names other devices than the checkpoint. Two devices with half a batch each give the same bits as one, so
/// the change need not be confirmed.
#[test]
fn a_run_resumes_on_other_devices() {
    let given = given();
    run(&given, &["run.out=whole", "run.epochs=4"]).expect(0);
    run(&given, &["run.epochs=2"]).expect(0);
    let text = given
        .text()
        .replace("[model]", "[compute]\ndevices = [\"cpu:0\", \"cpu:1\"]\n\n[model]");
    fs::write(given.toml(), text).expect("train.toml is written");
    resume(&given, &["run.epochs=3"]).expect(0);
    let text = given.text();
    fs::write(given.toml(), text).expect("train.toml is written");
    resume(&given, &["run.epochs=4"]).expect(0);
    assert_eq!(told(&given, "run"), told(&given, "whole"));
    assert_seamless(&given.path("run"), 16);
}

#[test]
fn more_devices_than_two_must_be_meant_on_resume_and_come_near() {
    let given = given();
    run(&given, &["run.out=whole", "run.epochs=4"]).expect(0);
    run(&given, &["run.epochs=2"]).expect(0);
    let text = given.text();
    let three = "devices = [\"cpu:0\", \"cpu:1\", \"cpu:2\"]";
    let altered = text.replace("[model]", &format!("[compute]\n{three}\n\n[model]"));
    fs::write(given.toml(), altered).expect("train.toml is written");
    resume(&given, &["run.epochs=4"])
        .expect(2)
        .says("compute.devices was [\"cpu:0\"] and is now [\"cpu:0\", \"cpu:1\", \"cpu:2\"]");
    fs::write(given.toml(), text).expect("train.toml is written");
    resume(
        &given,
        &["run.epochs=4", &format!("compute.{}", three.replace(" = ", "="))],
    )
    .expect(0);
    let (ours, whole) = (result(&given.path("run")), result(&given.path("whole")));
    assert_eq!((ours.step, ours.stream), (whole.step, whole.stream));
    for ((name, ours, _), (_, whole, _)) in ours.bits.iter().zip(&whole.bits) {
        assert_near(name, ours, whole, 1e-5);
    }
}

/// Fails if weights differ by more than `tolerance` times the largest.
pub fn assert_near(name: &str, ours: &[u32], twin: &[u32], tolerance: f32) {
    let numbers = |bits: &[u32]| -> Vec<f32> { bits.iter().map(|bits| f32::from_bits(*bits)).collect() };
    let (ours, twin) = (numbers(ours), numbers(twin));
    let largest = twin.iter().fold(1e-6f32, |largest, x| largest.max(x.abs()));
    let apart = ours.iter().zip(&twin).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
    assert!(
        apart <= tolerance * largest,
        "{name}: {apart:e} apart, the largest is {largest:e}"
    );
}

const COLUMNS: [&str; 2] = [TWO, "compute.parallel=columns"];

/// Every mode can resume a checkpoint of every other mode: checkpoints hold whole parameters, with the names and shapes of a
/// single device.
#[test]
fn columns_come_near_one_device_and_take_turns_with_it() {
    let given = given();
    let common = ["evaluate.crops=10", "run.epochs=4"];
    run(&given, &[&common[..], &["run.out=one"]].concat()).expect(0);
    let one = result(&given.path("one"));
    run(&given, &[&common[..], &["run.out=columns"], &COLUMNS].concat()).expect(0);
    let sets = |epochs: &'static str, devices: &[&'static str]| [&["run.out=turns", epochs], devices].concat();
    run(&given, &sets("run.epochs=1", &COLUMNS)).expect(0);
    resume(
        &given,
        &sets(
            "run.epochs=2",
            &["compute.devices=[\"cpu:0\"]", "compute.parallel=data"],
        ),
    )
    .expect(0);
    resume(&given, &sets("run.epochs=3", &[TWO, "compute.parallel=data"])).expect(0);
    resume(&given, &sets("run.epochs=4", &COLUMNS)).expect(0);
    for out in ["columns", "turns"] {
        let ours = result(&given.path(out));
        assert_eq!((ours.step, ours.stream), (one.step, one.stream));
        for ((name, ours, ours_momentum), (_, one, one_momentum)) in ours.bits.iter().zip(&one.bits) {
            assert_near(name, ours, one, 1e-5);
            assert_near(name, ours_momentum, one_momentum, 1e-4);
        }
        assert_seamless(&given.path(out), one.step);
    }
    let losses = |out: &str| -> Vec<f64> {
        let steps = of_kind(&given.path(out), "step");
        steps.iter().filter_map(|event| event["loss"].as_f64()).collect()
    };
    let (ours, one) = (losses("columns"), losses("one"));
    assert!(
        ours.iter().zip(&one).all(|(x, y)| (x - y).abs() < 1e-4),
        "{ours:?}\n{one:?}"
    );
}

#[test]
fn columns_must_be_meant_on_resume() {
    let given = given();
    run(&given, &["run.epochs=1"]).expect(0);
    let table = "[compute]\ndevices = [\"cpu:0\", \"cpu:1\"]\nparallel = \"columns\"\n\n[model]";
    fs::write(given.toml(), given.text().replace("[model]", table)).expect("train.toml is written");
    resume(&given, &["run.epochs=2"])
        .expect(2)
        .says("compute.parallel was \"data\" and is now \"columns\"");
}

#[test]
fn eval_and_predict_work_with_a_run_of_several_devices() {
    let given = given();
    run(&given, &[TWO]).expect(0);
    let eval = |sets: &[&str]| {
        let args = ["eval", "run", "--json"].iter().chain(sets);
        Process::start(&given.path(""), args).wait().expect(0).stdout
    };
    assert_eq!(eval(&[]), eval(&["--set", "compute.devices=[\"cpu:0\"]"]));
    let of_columns = eval(&["--set", "compute.parallel=columns"]);
    assert!(of_columns.contains("\"images\":15"), "{of_columns}");
    let image = given.path("val/sky/000.jpg").display().to_string();
    Process::start(&given.path(""), ["predict", "run", &image])
        .wait()
        .expect(0);
}

#[test]
fn each_device_is_told_of_by_its_name() {
    let given = given();
    run(&given, &[TWO]).expect(0);
    let verdicts = of_kind(&given.path("run"), "verdict");
    let stages = &verdicts.last().expect("a verdict")["stages"];
    let took = |name: &str| stages[name]["items"].as_u64().is_some_and(|items| items > 0);
    assert_eq!(["cpu:0", "cpu:1", "cpu"].map(took), [true, true, false], "{stages}");
    let checked = Process::start(&given.path(""), ["check", "train.toml", "--set", TWO])
        .wait()
        .expect(0)
        .stdout;
    for line in ["          cpu:0           0 to 7", "          cpu:1          8 to 15"] {
        assert!(checked.contains(line), "{line:?} is missing in\n{checked}");
    }
}
