//! Whole runs on a GPU: they come to the CPU's losses, and to their own bits again.

use std::path::Path;

use pipeline::dataset::JpegWriter;
use pipeline::model::presets;
use serde_json::Value;

use crate::emulated::{STRICT, gpus, is_there};
use crate::given::{CLASSES, Given};
use crate::process::{Ended, PIPELINE, Process, assert_seamless, of_kind, result, resume, run, run_args, steps_so_far};

const GPU: &str = "compute.devices=[\"cuda:0\"]";
const CPU: &str = "compute.devices=[\"cpu:0\"]";

/// A network with every kind of layer, for images of 24 pixels.
const LAYERS: &str = "model.layers=[\
    { type = \"conv\", name = \"conv1\", channels = 8, kernel = 5, stride = 2, partial_windows = true, init = \"he\" },\
    { type = \"relu\" }, { type = \"lrn\" }, { type = \"max_pool\", size = 3, stride = 2 },\
    { type = \"conv\", name = \"conv2\", channels = 12, kernel = 3, padding = 1, groups = 2, init = \"he\" },\
    { type = \"tanh\" }, { type = \"dropout\", p = 0.2 }, { type = \"fc\", name = \"fc3\", init = \"fan_in\" }]";

/// Starts a command on an emulated GPU.
pub fn start(given: &Given, options: &[&str], args: &[String]) -> Process {
    let mut command = gpus(1, options);
    command.arg(PIPELINE);
    Process::start_as(command, &given.path(""), args)
}

/// A run on an emulated GPU, to its end.
pub fn on_gpu(given: &Given, options: &[&str], resume: bool, sets: &[&str]) -> Ended {
    start(given, options, &run_args(given, resume, sets)).wait()
}

fn number(event: &Value, key: &str) -> f64 {
    event[key].as_f64().unwrap_or_else(|| panic!("no {key} in {event}"))
}

/// Asserts that two runs have the same samples and nearly the same losses and errors.
fn assert_near(gpu: &Path, cpu: &Path) {
    for (kind, key) in [("step", "loss"), ("eval", "loss"), ("eval", "top1_error")] {
        let (found, expected) = (of_kind(gpu, kind), of_kind(cpu, kind));
        assert_eq!(found.len(), expected.len(), "{kind}");
        assert!(!found.is_empty(), "{kind}");
        for (found, expected) in found.iter().zip(&expected) {
            let (found, expected) = (number(found, key), number(expected, key));
            assert!(
                (found - expected).abs() <= 1e-4 * expected.abs().max(0.1),
                "{kind} {key}: {found}, {expected} on a CPU"
            );
        }
    }
    assert_eq!(result(gpu).stream, result(cpu).stream, "the same samples");
}

#[test]
fn runs_come_to_the_cpus_losses() {
    if !is_there() {
        return;
    }
    let image = [
        "decode.shorter_side=28",
        "augment.mean=image",
        "augment.jitter={}",
        "augment.cutout=8",
    ];
    let cases: [&[&str]; 3] = [
        &["evaluate.crops=10", "decode.shorter_side=30", "augment.pca={}"],
        &image,
        &["staging.batch=5", "solver.lr=0.002"],
    ];
    let given = Given::new(9, 3);
    std::fs::write(given.path("train/sky/bad.jpg"), "no image").unwrap();
    for (number, sets) in cases.into_iter().enumerate() {
        let out = [format!("run.out=gpu-{number}"), format!("run.out=cpu-{number}")];
        let skips = "run.on_bad_image=skip";
        let all = |out, device| [&[LAYERS, out, device, skips, "run.bad_images_max=9"], sets].concat();
        run(&given, &all(&out[1], CPU)).expect(0);
        on_gpu(&given, &STRICT, false, &all(&out[0], GPU)).expect(0);
        assert_near(
            &given.path(&format!("gpu-{number}")),
            &given.path(&format!("cpu-{number}")),
        );
    }
}

#[test]
fn a_run_has_the_same_bits_under_any_schedule_and_with_any_number_of_workers() {
    if !is_there() {
        return;
    }
    let given = Given::new(8, 2);
    let schedules: [(&[&str], &str); 4] = [
        (&[], "decode.workers=1"),
        (&["--schedule", "lazy", "--order", "5"], "decode.workers=3"),
        (&["--schedule", "random:3"], "augment.workers=2"),
        (&["--schedule", "eager", "--order", "desc"], "staging.slots=3"),
    ];
    let results = schedules.iter().enumerate().map(|(number, (options, workers))| {
        let out = format!("run.out=run-{number}");
        on_gpu(&given, options, false, &[LAYERS, GPU, &out, workers]).expect(0);
        result(&given.path(&format!("run-{number}")))
    });
    let results: Vec<_> = results.collect();
    assert!(results.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn killed_and_resumed_it_comes_to_the_same_bits() {
    if !is_there() {
        return;
    }
    let given = Given::new(8, 2);
    let sets = |out| [LAYERS, GPU, "run.epochs=6", "checkpoint.every_steps=2", out];
    on_gpu(&given, &[], false, &sets("run.out=whole")).expect(0);
    let killed = given.path("killed");
    for at in [3, 6] {
        let mut process = start(&given, &[], &run_args(&given, true, &sets("run.out=killed")));
        process.until_or_ended(|| steps_so_far(&killed) >= at);
        process.signal(libc::SIGKILL);
        process.wait();
    }
    on_gpu(&given, &[], true, &sets("run.out=killed")).expect(0);
    assert_eq!(result(&killed), result(&given.path("whole")));
    assert_seamless(&killed, result(&killed).step);
}

#[test]
fn a_run_goes_from_one_kind_of_device_to_the_other_if_that_is_asked_for() {
    if !is_there() {
        return;
    }
    let given = Given::new(8, 2);
    run(&given, &[LAYERS, CPU, "run.epochs=1", "run.out=moved"]).expect(0);
    let toml = std::fs::read_to_string(given.toml()).unwrap();
    std::fs::write(given.toml(), format!("{toml}\n[compute]\ndevices = [\"cuda:0\"]\n")).unwrap();
    let unasked = on_gpu(&given, &[], true, &[LAYERS, "run.epochs=2", "run.out=moved"]);
    unasked
        .expect(2)
        .says("compute.devices was [\"cpu:0\"] and is now [\"cuda:0\"]");
    on_gpu(&given, &[], true, &[LAYERS, GPU, "run.epochs=2", "run.out=moved"]).expect(0);
    let back = resume(&given, &[LAYERS, CPU, "run.epochs=3", "run.out=moved"]).expect(0);
    assert!(back.stderr.contains("resuming after step"), "{back:#?}");
    run(&given, &[LAYERS, CPU, "run.out=stayed"]).expect(0);
    assert_near(&given.path("moved"), &given.path("stayed"));
}

#[test]
fn auto_is_the_gpu_and_stays_what_it_was() {
    if !is_there() {
        return;
    }
    let given = Given::new(4, 1);
    let began = on_gpu(&given, &[], false, &["run.epochs=1"]).expect(0);
    assert!(began.stderr.contains("device    cuda:0 ("), "{began:#?}");
    let elsewhere = resume(&given, &["run.epochs=2"]);
    elsewhere
        .expect(2)
        .says("cuda:0 cannot be used: no NVIDIA driver was found");
    on_gpu(&given, &[], true, &["run.epochs=2"]).expect(0);
    // A CPU's run stays on the CPU.
    run(&given, &["run.epochs=1", "run.out=cpu"]).expect(0);
    let kept = on_gpu(&given, &[], true, &["run.epochs=2", "run.out=cpu"]).expect(0);
    assert!(kept.stderr.contains("device    cpu:0 ("), "{kept:#?}");
}

#[test]
fn what_a_gpu_has_trained_is_evaluated_and_predicts_anywhere() {
    if !is_there() {
        return;
    }
    let given = Given::new(8, 3);
    on_gpu(
        &given,
        &[],
        false,
        &[LAYERS, GPU, "augment.mean=image", "decode.shorter_side=28"],
    )
    .expect(0);
    let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
    let eval = words(&["eval", "run", "--json"]);
    let predict = words(&["predict", "run", "val/sky/000.jpg", "--json", "--crops", "10"]);
    for args in [eval, predict] {
        let here = Process::start(&given.path(""), &args).wait().expect(0);
        assert!(
            here.stderr.contains("using another device: cuda:0 cannot be used"),
            "{here:#?}"
        );
        let there = start(&given, &STRICT, &args).wait().expect(0);
        let numbers = |ended: &Ended| -> Vec<f64> {
            let mut found = Vec::new();
            collect(&serde_json::from_str(&ended.stdout).unwrap(), &mut found);
            found
        };
        let (here, there) = (numbers(&here), numbers(&there));
        assert!(here.len() > 2 && here.len() == there.len(), "{here:?} {there:?}");
        assert!(
            here.iter().zip(&there).all(|(a, b)| (a - b).abs() < 1e-4),
            "{here:?} {there:?}"
        );
    }
}

/// The stage that waits for the GPU is busy while the GPU is, and the one that launches says nothing about it.
#[test]
fn a_verdict_tells_an_idle_gpu_from_a_busy_one() {
    if !is_there() {
        return;
    }
    let given = Given::new(6, 1);
    let mut writer = JpegWriter::new(90).unwrap();
    let noise = |i: u32| (i.wrapping_mul(2_654_435_761) >> 24) as u8;
    let pixels: Vec<u8> = (0..1600 * 1600 * 3).map(noise).collect();
    let jpeg = writer.rgb(1600, 1600, &pixels).unwrap().to_vec();
    for (class, _) in CLASSES {
        let folder = given.path(&format!("large/{class}"));
        std::fs::create_dir_all(&folder).unwrap();
        (0..6).for_each(|i| std::fs::write(folder.join(format!("{i}.jpg")), &jpeg).unwrap());
    }
    let verdict = |name: &str, sets: &[&str]| {
        let out = format!("run.out={name}");
        let fixed = [GPU, &out, "run.epochs=2", "decode.workers=1", "augment.workers=1"];
        on_gpu(&given, &[], false, &[&fixed[..], sets].concat()).expect(0);
        of_kind(&given.path(name), "verdict").pop().unwrap()
    };
    let linear = "model.layers=[{ type = \"fc\", name = \"fc1\" }]";
    let idle = verdict(
        "idle",
        &[
            "data.train=large",
            "data.val=val",
            "augment.crop=8",
            "staging.batch=3",
            linear,
        ],
    );
    let busy = verdict("busy", &["staging.batch=9", LAYERS]);
    let share = |verdict: &Value, stage: &str, what: &str| number(&verdict["stages"][stage], what);
    assert!(share(&idle, "cuda", "input_wait") > 0.5, "{idle}");
    assert_eq!(idle["bound"], "decode", "{idle}");
    assert!(share(&busy, "cuda", "busy") > 0.5, "{busy}");
    let text = busy["text"].as_str().unwrap();
    assert!(text.starts_with("compute-bound: the device is busy "), "{busy}");
}

/// The losses of a step of each preset, and of the step after it.
#[test]
fn every_preset_has_the_cpus_losses() {
    if !is_there() {
        return;
    }
    let given = Given::new(1, 1);
    for preset in presets::NAMES {
        let losses = |device: &str| -> Vec<f64> {
            let words = [
                "bench", "compute", "--model", preset, "--batch", "1", "--steps", "1", "--json", "--device",
            ];
            let args: Vec<String> = words.iter().copied().chain([device]).map(ToOwned::to_owned).collect();
            let ended = start(&given, &[], &args).wait().expect(0);
            let report: Value = serde_json::from_str(&ended.stdout).unwrap();
            let losses = report["losses"].as_array().unwrap();
            losses.iter().map(|loss| loss.as_f64().unwrap()).collect()
        };
        let (gpu, cpu) = (losses("cuda:0"), losses("cpu:0"));
        let near = gpu
            .iter()
            .zip(&cpu)
            .all(|(a, b)| (a - b).abs() < 1e-4 * b.abs().max(1.0));
        assert!(near && gpu.len() == 2, "{preset}: {gpu:?}, {cpu:?} on a CPU");
    }
}

/// A bench's losses are the CPU's, its pieces are all of the step's work, and shares are of what was measured beside them.
#[test]
fn a_bench_measures_every_piece_of_a_step() {
    if !is_there() {
        return;
    }
    let given = Given::new(1, 1);
    let bench = |device: &str| -> Value {
        let words = [
            "bench",
            "compute",
            "--model",
            "cifar10-quick",
            "--batch",
            "4",
            "--steps",
            "2",
            "--json",
            "--device",
        ];
        let args: Vec<String> = words.iter().copied().chain([device]).map(ToOwned::to_owned).collect();
        let ended = start(&given, &[], &args).wait().expect(0);
        serde_json::from_str(&ended.stdout).unwrap()
    };
    let (gpu, cpu) = (bench("cuda:0"), bench("cpu:0"));
    let losses = |report: &Value| -> Vec<f64> {
        let losses = report["losses"].as_array().unwrap();
        losses.iter().map(|loss| loss.as_f64().unwrap()).collect()
    };
    let near = losses(&gpu)
        .iter()
        .zip(losses(&cpu))
        .all(|(a, b)| (a - b).abs() < 1e-4 * b.abs());
    assert!(near && losses(&gpu).len() == 3, "{gpu} {cpu}");
    let rows = gpu["layers"].as_array().unwrap();
    let of = |row: &Value, key: &str| row[key].as_f64().unwrap();
    let work: f64 = rows.iter().map(|row| of(row, "gflops") * of(row, "ms")).sum();
    let all = of(&gpu, "gflops") * of(&gpu, "step_ms");
    assert!((work - all).abs() < 1e-6 * all, "{work} of {all}");
    assert!(
        rows.iter()
            .all(|row| of(row, "share_of_copy") >= 0.0 && of(row, "ms") > 0.0)
    );
    let names: Vec<&str> = rows.iter().map(|row| row["layer"].as_str().unwrap()).collect();
    assert!(names[0] == "input" && names.last() == Some(&"all"), "{names:?}");
}

/// All numbers of a JSON value.
fn collect(value: &Value, found: &mut Vec<f64>) {
    match value {
        Value::Number(number) => found.extend(number.as_f64()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(items) => items.values().for_each(|item| collect(item, found)),
        _ => {}
    }
}
