//! `bench compute`: its output, and that the parts of a step add up to the step.

use std::fs;

use safetensors::SafeTensors;
use serde_json::Value;

use crate::given::Given;
use crate::process::{Ended, Process};

fn bench(given: &Given, args: &[&str]) -> Ended {
    Process::start(&given.path(""), ["bench", "compute"].iter().chain(args)).wait()
}

fn object(ended: &Ended) -> Value {
    serde_json::from_str(ended.stdout.lines().last().unwrap_or_default()).expect("a JSON object")
}

fn number(object: &Value, key: &str) -> f64 {
    object[key].as_f64().unwrap_or_else(|| panic!("{key} in {object}"))
}

#[test]
fn the_pieces_of_a_step_add_up_to_it() {
    let given = Given::new(1, 1);
    let args = ["--model", "alexnet-small", "--batch", "32", "--threads", "2"];
    let ended = bench(&given, &[&args[..], &["--steps", "3", "--json"]].concat()).expect(0);
    let object = object(&ended);
    assert_eq!(object["model"], "alexnet-small");
    assert_eq!(object["input"], serde_json::json!([3, 28, 28]));
    for (key, value) in [("batch", 32.0), ("threads", 2.0), ("classes", 10.0), ("steps", 3.0)] {
        assert_eq!(number(&object, key), value, "{key}");
    }
    for key in ["images_per_s", "gflops", "peak_gflops", "share_of_peak"] {
        assert!(number(&object, key) > 0.0, "{key}");
    }
    assert!(number(&object, "peak_resident_bytes") > number(&object, "planned_bytes"));
    assert_eq!(object["losses"].as_array().map(Vec::len), Some(4), "the warm-up's too");
    let rows = object["layers"].as_array().expect("rows");
    let all: f64 = rows.iter().map(|row| number(row, "ms")).sum();
    let step = number(&object, "step_ms");
    // They include the time that threads wait for each other.
    assert!(all > 0.8 * step && all <= step, "{all} of {step} ms");
    assert!((number(&object, "images_per_s") - 32e3 / step).abs() < 1e-6 * number(&object, "images_per_s"));
    // All parts together compute what the step computes.
    let computed: f64 = rows.iter().map(|row| number(row, "gflops") * number(row, "ms")).sum();
    assert!((computed / (number(&object, "gflops") * step) - 1.0).abs() < 1e-9);
    for (layer, direction) in [
        ("conv1+relu1", "forward"),
        ("maxpool1", "backward_data"),
        ("fc5", "update"),
    ] {
        let row = rows
            .iter()
            .find(|row| row["layer"] == layer && row["direction"] == direction);
        let row = row.unwrap_or_else(|| panic!("{layer} {direction} in {object}"));
        assert!(number(row, "bytes_per_s") > 0.0 && number(row, "share_of_peak") >= 0.0);
    }
    // Only convolutions have a choice of algorithms; the first has too few channels for Winograd.
    let by = |row: &Value| (row["layer"].clone(), row["direction"].clone(), row["algorithm"].clone());
    let chosen: Vec<_> = rows.iter().filter(|row| row["algorithm"].is_string()).map(by).collect();
    let of = |layer: &str, direction: &str, by: &str| (layer.into(), direction.into(), by.into());
    let expected = [
        of("conv1+relu1", "forward", "direct"),
        of("conv2+relu2", "forward", "winograd"),
        of("conv3+relu3", "forward", "winograd"),
        of("conv3", "backward_data", "winograd"),
        of("conv3", "backward_weights", "winograd"),
        of("conv2", "backward_data", "winograd"),
        of("conv2", "backward_weights", "winograd"),
        of("conv1", "backward_weights", "direct"),
    ];
    assert_eq!(chosen.len(), expected.len());
    assert!(expected.iter().all(|row| chosen.contains(row)), "{chosen:?}");
}

#[test]
fn a_run_is_measured_without_its_data() {
    let given = Given::new(1, 1);
    fs::remove_dir_all(given.path("train")).expect("removed");
    let ended = bench(
        &given,
        &["--model", "train.toml", "--steps", "1", "--set", "model.classes=7"],
    )
    .expect(0);
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(
        lines[0].split("; ").next(),
        Some("model     train.toml on 3×24×24, 7 classes")
    );
    assert!(
        lines[4].starts_with("slowest   ") || lines[3].starts_with("slowest   "),
        "{}",
        ended.stdout
    );
    assert!(lines.last().is_some_and(|line| line.starts_with("total ")));
    assert!(!given.path("run").exists(), "a benchmark leaves no run behind");
}

#[test]
fn what_is_measured_otherwise_than_it_would_run_is_said() {
    let given = Given::new(1, 1);
    fs::remove_dir_all(given.path("train")).expect("removed");
    let devices = ["--set", r#"compute.devices=["cpu:0", "cpu:1"]"#];
    let args = ["--model", "train.toml", "--steps", "1", "--threads", "1"];
    let ended = bench(&given, &[&args[..], &devices].concat()).expect(0);
    for said in [
        "measuring one device with the whole network, although a run would use 2",
        "assuming 1000 classes",
    ] {
        assert!(ended.stderr.contains(said), "{said:?} in {}", ended.stderr);
    }
}

#[test]
fn another_program_gets_all_that_it_needs_to_do_the_same() {
    let given = Given::new(1, 1);
    let args = ["--model", "alexnet-small", "--batch", "4", "--set", "model.dropout=0"];
    let layers = object(&bench(&given, &[&args[..], &["--layers"]].concat()).expect(0));
    let more = ["--steps", "2", "--warmup", "0", "--json", "--dump", "start.safetensors"];
    let measured = object(&bench(&given, &[&args[..], &more].concat()).expect(0));
    assert_eq!(measured["losses"].as_array().map(Vec::len), Some(2));
    let bytes = fs::read(given.path("start.safetensors")).expect("it was written");
    let tensors = SafeTensors::deserialize(&bytes).expect("safetensors");
    let shape = |name: &str| tensors.tensor(name).map(|tensor| tensor.shape().to_vec()).ok();
    assert_eq!(shape("images"), Some(vec![4, 3, 28, 28]));
    assert_eq!(shape("labels"), Some(vec![4]));
    for layer in layers["layers"].as_array().expect("layers") {
        let name = layer["name"].as_str().expect("a name");
        let weight = match layer["kind"].as_str() {
            Some("conv") => vec![
                &layer["output"][0],
                &layer["input"][0],
                &layer["kernel"],
                &layer["kernel"],
            ],
            Some("fc") => vec![&layer["output"][0]],
            _ => continue,
        };
        let found = shape(&format!("{name}.weight")).unwrap_or_else(|| panic!("{name}.weight"));
        let expected: Vec<_> = weight.iter().filter_map(|side| side.as_u64()).collect();
        assert!(
            found.iter().zip(expected).all(|(&a, b)| a as u64 == b),
            "{name}: {found:?}"
        );
    }
    assert!(!layers.to_string().contains("dropout"));
}
