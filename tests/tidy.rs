//! Checks the rules that ARCHITECTURE.md states about the tree.

#![allow(clippy::unwrap_used, reason = "a test panics if anything is unexpected")]

#[path = "tidy/circles.rs"]
mod circles;
#[path = "tidy/executors.rs"]
mod executors;

use std::fs;
use std::path::{Path, PathBuf};

/// Modules in dependency order, lowest first.
const ORDER: [&str; 19] = [
    "rng", "text", "files", "durable", "checksum", "memory", "config", "flow", "dataset", "devices", "ops", "model",
    "stages", "plan", "proposal", "topology", "control", "observe", "cli",
];

/// Crates that only some files may use, and which files.
const DOORS: [(&str, &[&str]); 9] = [
    ("cudarc::", &["src/devices/cuda/"]),
    ("actix::", &["src/control/"]),
    ("turbojpeg::", &["src/stages/decode/", "src/dataset/jpeg_writer.rs"]),
    ("image::", &["src/stages/decode/"]),
    ("png::", &["src/stages/decode/"]),
    ("memmap2::", &["src/dataset/"]),
    ("clap::", &["src/cli/"]),
    ("crossbeam_channel::", &["src/flow/channel.rs"]),
    ("tracing_subscriber::", &["src/observe/logging.rs"]),
];

/// Where `unsafe` is allowed, each with its `// SAFETY:`.
const UNSAFE: [&str; 10] = [
    "src/devices/cuda/",
    "src/flow/cpu_time.rs",
    "src/flow/slots.rs",
    "src/dataset/jpeg_writer.rs",
    "src/dataset/map.rs",
    "src/stages/decode/jpeg/turbo.rs",
    "src/stages/decode/resize/mod.rs",
    "src/devices/cpu/",
    "src/ops/",
    "src/cli/pipe.rs",
];

/// Words that say nothing about a file's contents.
const EMPTY_NAMES: [&str; 5] = ["utils", "util", "helpers", "common", "manager"];

fn sources(folder: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    walk(&root.join(folder), &mut found);
    let relative = |path: &PathBuf| path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
    found
        .iter()
        .map(|path| (relative(path), fs::read_to_string(path).unwrap()))
        .collect()
}

/// The lines of code, without comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.starts_with("//"))
}

#[test]
fn imports_run_one_way() {
    let mut wrong = Vec::new();
    for (path, text) in sources("src") {
        let module = path.trim_start_matches("src/").split(['/', '.']).next().unwrap();
        let Some(own) = ORDER.iter().position(|name| *name == module) else {
            continue;
        };
        for line in code(&text) {
            for (at, name) in ORDER.iter().enumerate() {
                let names = [format!("crate::{name}::"), format!("crate::{name};")];
                if line.contains("use crate::{") || (at > own && names.iter().any(|name| line.contains(name))) {
                    wrong.push(format!("{path}: {line}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "modules import from above:\n{}", wrong.join("\n"));
}

#[test]
fn each_crate_has_one_door() {
    let mut wrong = Vec::new();
    for (path, text) in sources("src") {
        for (name, doors) in DOORS {
            let uses = |line: &str| {
                line.match_indices(name).any(|(at, _)| {
                    !line[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == ':')
                })
            };
            if !doors.iter().any(|door| path.starts_with(door)) && code(&text).any(uses) {
                wrong.push(format!("{path}: {name}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "crates used outside of their doors:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn unsafe_stays_behind_its_doors() {
    let outside = |path: &str| !UNSAFE.iter().any(|door| path.starts_with(door));
    let wrong: Vec<String> = sources("src")
        .into_iter()
        .filter(|(path, text)| outside(path) && code(text).any(|line| line.contains("unsafe ")))
        .map(|(path, _)| path)
        .collect();
    assert!(wrong.is_empty(), "unsafe outside of its doors: {wrong:?}");
}

/// `Path::exists` and its kin take a failure to look for an absence; `src/files.rs` does not.
#[test]
fn a_failure_to_look_is_no_absence() {
    // What the system has said already.
    let facts = ["metadata", "found", "kind", "file_type()?", "symlink_metadata(folder)?"];
    let guesses = |line: &str| {
        let by_name = ["Path::exists", "Path::is_dir", "Path::is_file"]
            .iter()
            .any(|name| line.contains(name));
        by_name
            || [".exists()", ".is_dir()", ".is_file()"].iter().any(|call| {
                line.match_indices(call).any(|(at, _)| {
                    let receiver = &line[..at];
                    !facts.iter().any(|fact| receiver.ends_with(fact))
                })
            })
    };
    let own = |text: &str| text.split("#[cfg(test)]\nmod ").next().unwrap_or_default().to_owned();
    let wrong: Vec<String> = sources("src")
        .into_iter()
        .filter(|(_, text)| code(&own(text)).any(guesses))
        .map(|(path, _)| path)
        .collect();
    assert!(wrong.is_empty(), "ask what is at a path by crate::files: {wrong:?}");
}

/// The standard library's macros panic if a stream cannot be written, and escape nothing.
#[test]
fn output_has_one_door() {
    let prints = |line: &str| ["println!(", "print!(", "dbg!("].iter().any(|name| line.contains(name));
    let wrong: Vec<String> = sources("src")
        .into_iter()
        .filter(|(path, text)| path != "src/observe/terminal.rs" && code(text).any(prints))
        .map(|(path, _)| path)
        .collect();
    assert!(
        wrong.is_empty(),
        "print by observe::terminal's answer! and tell!: {wrong:?}"
    );
}

#[test]
fn files_are_short_and_named_for_what_is_in_them() {
    let mut wrong = Vec::new();
    for (path, text) in sources("src").into_iter().chain(sources("tests")) {
        if text.lines().count() > 400 {
            wrong.push(format!("{path} has {} lines", text.lines().count()));
        }
        let stem = Path::new(&path).file_stem().unwrap().to_string_lossy().into_owned();
        if EMPTY_NAMES.contains(&stem.as_str()) {
            wrong.push(format!("{path}: the name says nothing"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_queue_is_unbounded() {
    let wrong: Vec<String> = sources("src")
        .into_iter()
        .filter(|(_, text)| code(text).any(|line| line.contains("unbounded") || line.contains("SyncArbiter")))
        .map(|(path, _)| path)
        .collect();
    assert!(wrong.is_empty(), "unbounded queues: {wrong:?}");
}

/// Documents name the tests that check their claims, and tests move.
#[test]
fn tests_that_texts_name_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = ["", "docs"]
        .into_iter()
        .flat_map(|folder| fs::read_dir(root.join(folder)).unwrap());
    let pages = pages
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|path| (path.display().to_string(), fs::read_to_string(&path).unwrap()));
    let mut named = 0;
    let mut wrong = Vec::new();
    for (page, text) in pages.chain(sources("src")) {
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || "_/.".contains(c)));
        // tests/ops/NAME.rs is a pattern.
        let paths = words.filter(|word| word.starts_with("tests/") && !word.contains(char::is_uppercase));
        for path in paths.map(|path| path.trim_end_matches('.')) {
            named += 1;
            if !root.join(path).exists() {
                wrong.push(format!("{page}: {path}"));
            }
        }
    }
    assert!(named > 20, "{named} are named");
    assert!(wrong.is_empty(), "there is no such test:\n{}", wrong.join("\n"));
}

#[test]
fn every_dataset_says_what_it_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets");
    for entry in fs::read_dir(root).unwrap() {
        let folder = entry.unwrap().path();
        for file in ["README.md", "train.toml"] {
            assert!(folder.join(file).is_file(), "{} lacks {file}", folder.display());
        }
    }
}
