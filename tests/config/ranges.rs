//! Each number has a range. A value within it is read and written back unchanged; a value outside it is refused with its key
//! and line.

use pipeline::config::Config;

use super::keys::{EDGY, KEYS, LAYERS, NONSENSE, SCHEDULES};
use super::{LEAST, parse, refusal};

/// Every key in a file: its name, the text before and after the value, and the values it accepts.
fn places() -> Vec<(String, String, String, &'static [&'static str])> {
    let mut places = Vec::new();
    for (key, values) in KEYS {
        let (table, name) = key.rsplit_once('.').unwrap();
        let file = if table == "model" {
            "[model]\npreset = \"alexnet-small\"\n"
        } else {
            ""
        };
        let (before, after) = match table {
            "model" => ("[data]\ntrain = \"photos\"\n".to_string(), String::new()),
            "data" => (
                "[model]\npreset = \"alexnet-small\"\n[data]\ntrain = \"photos\"\n".to_string(),
                String::new(),
            ),
            _ => (format!("{LEAST}[{table}]\n"), String::new()),
        };
        let before = format!("{before}{file}{name} = ");
        places.push(((*key).to_string(), before, after, *values));
    }
    for (kind, (name, values)) in SCHEDULES {
        let rest = match *kind {
            "step" if *name != "every_epochs" => ", every_epochs = 1",
            "multistep" if *name != "epochs" => ", epochs = []",
            "exponential" if *name != "factor" => ", factor = 0.5",
            _ => "",
        };
        let before = format!("{LEAST}[solver]\nschedule = {{ kind = \"{kind}\"{rest}, {name} = ");
        places.push((format!("solver.schedule.{name}"), before, " }".to_string(), *values));
    }
    for (kind, (name, values)) in LAYERS {
        let needed: &[(&str, &str)] = match *kind {
            "conv" => &[("name", "\"a\""), ("channels", "8"), ("kernel", "3")],
            "fc" => &[("name", "\"a\"")],
            "max_pool" => &[("size", "2"), ("stride", "2")],
            _ => &[],
        };
        let rest: String = needed
            .iter()
            .filter(|(needed, _)| needed != name)
            .map(|(needed, value)| format!(", {needed} = {value}"))
            .collect();
        let before = format!("[data]\ntrain = \"x\"\n[model]\nlayers = [\n{{ type = \"{kind}\"{rest}, {name} = ");
        places.push((format!("model.layers[0].{name}"), before, " }]".to_string(), *values));
    }
    places
}

/// Whether the error is about a relation between keys, which this file does not test.
fn is_of_another_rule(text: &str) -> bool {
    ["is larger than", "there is no rank", "devices cannot share"]
        .iter()
        .any(|rule| text.contains(rule))
}

#[test]
fn what_is_in_range_is_read_and_comes_back_from_the_resolved_text() {
    for (key, before, after, values) in places() {
        for value in values {
            let text = format!("{before}{value}{after}\n");
            match parse(&text, &[]) {
                Ok(config) => {
                    let resolved = config.to_toml();
                    let again =
                        parse(&resolved, &[]).unwrap_or_else(|error| panic!("{key} = {value}: {error}\n{resolved}"));
                    assert_eq!(again, config, "{key} = {value}");
                }
                Err(error) => assert!(is_of_another_rule(&error), "{key} = {value}: {error}"),
            }
        }
    }
}

/// A run writes its resolved configuration, and later commands read it: it must be the same again, bit for bit.
#[test]
fn whatever_is_accepted_comes_back_from_the_resolved_text() {
    let mut accepted = 0;
    for (key, before, after, _) in places() {
        for value in EDGY {
            let Ok(config) = parse(&format!("{before}{value}{after}\n"), &[]) else {
                continue;
            };
            accepted += 1;
            let again = parse(&config.to_toml(), &[]).unwrap_or_else(|error| panic!("{key} = {value}: {error}"));
            assert_eq!(again, config, "{key} = {value}");
        }
    }
    assert!(accepted > 50, "{accepted}");
    refusal("solver.momentum=0.99999999999");
    refusal("model.dropout=0.99999999999");
}

#[test]
fn nonsense_is_refused_with_its_key_and_line() {
    for (key, before, after, values) in places() {
        let line = before.lines().count();
        for value in NONSENSE {
            // Some keys accept some of these values.
            if values.contains(value) || (value == &"[]" && key.ends_with("epochs")) {
                continue;
            }
            let text = format!("{before}{value}{after}\n");
            let error = parse(&text, &[]).map(|_| ()).expect_err(&format!("{key} = {value}"));
            let named = error
                .lines()
                .any(|told| told.starts_with(&format!("t.toml: line {line}: {key}")));
            assert!(named, "{key} = {value}: {error}");
            assert!(!error.contains("found inf, ") && error.len() < 2000, "{error}");
        }
    }
}

#[test]
fn numbers_just_outside_are_refused() {
    for set in [
        "staging.slots=9223372036854775807",
        "staging.slots=65537",
        "staging.batch=16777217",
        "compute.threads=1000000",
        "compute.threads=1025",
        "decode.workers=1025",
        "augment.queue=65537",
        "augment.crop=16385",
        "decode.shorter_side=4294967295",
        "evaluate.every_epochs=4294967296",
        "solver.lr=1e39",
        "solver.lr=-0.1",
        "solver.momentum=1",
        "solver.momentum=-0.1",
        "solver.layers.conv1.bias_lr=-1",
        "solver.schedule={ kind = \"exponential\", factor = -1 }",
        "augment.std=[1e-40, 1, 1]",
        "augment.std=[1, 0, 1]",
        "augment.mean=[1e39, 0, 0]",
        "augment.flip=1.5",
        "run.steps=0",
        "data.ranks=0",
        "model.classes=0",
        "run.stall_after_s=0",
    ] {
        let key = set.split('=').next().unwrap();
        let error = refusal(set);
        assert!(error.starts_with(&format!("t.toml: --set: {key}")), "{error}");
        assert!(error.contains("expected a"), "{error}");
        assert!(error.contains("found "), "{error}");
    }
}

#[test]
fn a_number_beyond_64_bits_is_shown_as_it_was_written() {
    let error = refusal("staging.batch=99999999999999999999");
    assert!(error.ends_with("found 99999999999999999999"), "{error}");
    let error = refusal("solver.lr=1e400");
    assert!(error.ends_with("found 1e400"), "{error}");
    let long = "9".repeat(5000);
    assert!(refusal(&format!("run.seed={long}")).len() < 300);
}

#[test]
fn whole_numbers_serve_as_floats() {
    for lr in [1, 3, 16_777_217 / 100] {
        let config = parse(LEAST, &[format!("solver.lr={lr}")]).unwrap();
        assert!((config.solver.lr - lr as f32).abs() < 1e-3);
    }
    assert_eq!(
        Config::parse("t", LEAST, &["solver.lr=0".to_string()])
            .unwrap()
            .solver
            .lr,
        0.0
    );
}

#[test]
fn the_total_number_of_threads_is_limited() {
    let devices = "compute.devices=[\"cpu:0\", \"cpu:1\"]".to_string();
    assert!(parse(LEAST, &[devices.clone(), "compute.threads=512".to_string()]).is_ok());
    let error = parse(LEAST, &[devices, "compute.threads=513".to_string()]).unwrap_err();
    assert!(
        error.contains("--set: compute.threads: 2 devices with 513 threads each"),
        "{error}"
    );
}
