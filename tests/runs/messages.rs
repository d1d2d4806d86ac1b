//! Texts that users read, word for word. `UPDATE_GOLDEN=1` rewrites them; read the difference as a user would.

use std::fs;
use std::path::Path;

use crate::given::{CLASSES, Given};
use crate::process::{Ended, PIPELINE, Process, run};

/// Compares `text` with `tests/golden/NAME.txt`, with the temporary folder replaced by DIR.
pub fn golden(given: &Given, name: &str, text: &str) {
    let folder = given.path("");
    let folder = folder.to_string_lossy();
    let text = text.replace(folder.trim_end_matches('/'), "DIR");
    let text = text.replace(PIPELINE, "pipeline");
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(format!("{name}.txt"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &text).expect("the golden file is written");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        text, expected,
        "{name}: if the new text is better, run with UPDATE_GOLDEN=1"
    );
}

#[test]
fn help() {
    let given = Given::new(1, 1);
    golden(
        &given,
        "help",
        &Process::start(&given.path(""), ["--help"]).wait().expect(0).stdout,
    );
    for command in [
        "init",
        "run",
        "eval",
        "predict",
        "report",
        "check",
        "devices",
        "bench",
        "inspect",
        "export",
        "pack",
        "completions",
        "man",
    ] {
        let ended = Process::start(&given.path(""), [command, "--help"]).wait().expect(0);
        assert!(ended.stdout.contains("Example"), "{command} --help has an example");
        golden(&given, &format!("help-{command}"), &ended.stdout);
    }
}

#[test]
fn help_of_bench_compute() {
    let given = Given::new(1, 1);
    let ended = Process::start(&given.path(""), ["bench", "compute", "--help"]).wait();
    golden(&given, "help-bench-compute", &ended.expect(0).stdout);
}

#[test]
fn a_model_that_is_neither_preset_nor_file() {
    let given = Given::new(1, 1);
    let args = ["bench", "compute", "--model", "alexnet-smal"];
    refused(&given, "unknown-model", Process::start(&given.path(""), args).wait());
}

fn refused(given: &Given, name: &str, ended: Ended) {
    let ended = ended.expect(2);
    assert!(
        ended.stderr.lines().all(|line| line.starts_with("error: ")),
        "one cause per line:\n{}",
        ended.stderr
    );
    assert!(!given.path("run").exists(), "nothing was begun");
    golden(given, name, &ended.stderr);
}

/// The configuration with `from` replaced.
fn with(from: &str, to: &str) -> Given {
    let given = Given::new(2, 1);
    assert!(given.text().contains(from));
    fs::write(given.toml(), given.text().replace(from, to)).expect("train.toml is written");
    given
}

#[test]
fn devices_that_cannot_be_had() {
    let given = Given::new(2, 1);
    let sets = [
        "compute.devices=[\"tpu:0\", \"cpu:0\", \"cuda:0\", \"cpu:0\"]",
        "staging.batch=2",
    ];
    refused(&given, "devices", run(&given, &sets));
}

#[test]
fn a_model_that_devices_cannot_share() {
    let given = Given::new(2, 1);
    let devices = "compute.devices=[\"cpu:0\", \"cpu:1\", \"cpu:2\", \"cpu:3\"]";
    refused(&given, "columns", run(&given, &[devices, "compute.parallel=columns"]));
}

#[test]
fn an_unknown_key() {
    let given = with("slots = 2", "slot = 2");
    refused(&given, "unknown-key", run(&given, &[]));
}

#[test]
fn an_unknown_table() {
    let given = with("[checkpoint]", "[checkpoints]");
    refused(&given, "unknown-table", run(&given, &[]));
}

#[test]
fn several_errors_at_once() {
    let given = with("seed = 7", "sed = 7\nepochs = \"many\"\n");
    fs::write(
        given.toml(),
        fs::read_to_string(given.toml())
            .expect("it is there")
            .replace("epochs = 3\n", ""),
    )
    .expect("written");
    refused(
        &given,
        "several-errors",
        run(&given, &["augment.flip=2", "solver.lr=fast", "staging.slots=0"]),
    );
}

#[test]
fn a_mistyped_value() {
    let given = with("mean = \"channel\"", "mean = \"chanel\"");
    refused(&given, "mistyped-value", run(&given, &["run.on_bad_image=ignore"]));
}

#[test]
fn a_syntax_error() {
    let given = with("batch = 16", "batch = = 16");
    refused(&given, "syntax-error", run(&given, &[]));
}

#[test]
fn a_preset_that_is_not_there() {
    let given = Given::new(2, 1);
    let text = given.text();
    let (before, after) = (text.find("layers = ["), text.find("[solver]"));
    let (Some(before), Some(after)) = (before, after) else {
        panic!("{text}")
    };
    let other = format!("{}preset = \"alexnet-smal\"\n\n{}", &text[..before], &text[after..]);
    fs::write(given.toml(), other).expect("written");
    refused(&given, "unknown-preset", run(&given, &[]));
}

#[test]
fn no_configuration() {
    let given = Given::new(1, 1);
    let ended = Process::start(&given.path(""), ["run", "absent.toml"]).wait();
    refused(&given, "no-configuration", ended);
}

#[test]
fn data_that_are_not_there() {
    let given = Given::new(1, 1);
    fs::rename(given.path("train"), given.path("elsewhere")).expect("renamed");
    refused(&given, "missing-data", run(&given, &[]));
}

#[test]
fn one_class_only() {
    let given = Given::new(1, 1);
    for (class, _) in &CLASSES[1..] {
        fs::remove_dir_all(given.path("train").join(class)).expect("removed");
    }
    refused(&given, "one-class", run(&given, &[]));
}

#[test]
fn a_class_folder_without_images() {
    let given = Given::new(1, 1);
    fs::remove_file(given.path("train/sky/000.jpg")).expect("removed");
    refused(&given, "empty-class", run(&given, &[]));
}

#[test]
fn splits_in_place_of_classes() {
    let given = Given::new(1, 1);
    let splits = given.path("both");
    fs::create_dir_all(&splits).expect("a folder");
    fs::rename(given.path("train"), splits.join("train")).expect("moved");
    fs::rename(given.path("val"), splits.join("val")).expect("moved");
    refused(&given, "splits", run(&given, &["data.train=both"]));
}

#[test]
fn classes_that_differ() {
    let given = Given::new(1, 1);
    fs::rename(given.path("val/sky"), given.path("val/sea")).expect("renamed");
    refused(&given, "classes-differ", run(&given, &[]));
}

#[test]
fn layers_that_do_not_fit() {
    let given = with("kernel = 5", "kernel = 50");
    refused(&given, "layers-do-not-fit", run(&given, &[]));
}

#[test]
fn a_bad_image() {
    let given = Given::new(1, 1);
    fs::write(given.path("train/sky/000.jpg"), "no image\n").expect("written");
    let ended = run(&given, &["augment.mean=[128, 128, 128]"]).expect(1);
    let error = ended
        .stderr
        .lines()
        .find(|line| line.starts_with("error: "))
        .unwrap_or_default();
    golden(&given, "bad-image", &format!("{error}\n"));
}
