//! Packs: written by the real binary, killed, resumed, trained from and damaged; also shards of other writers.
#![allow(clippy::unwrap_used, reason = "all of this crate is tests")]

mod bad_images;
mod bound;
mod damage;
mod flips;
mod foreign;
mod holes;
mod names;
mod refusals;
mod resumed;
mod same_bytes;
mod seal;
mod training;

#[allow(dead_code, reason = "each test target uses its part")]
#[path = "../given/mod.rs"]
mod given;
#[allow(dead_code, reason = "each test target uses its part")]
#[path = "../runs/process.rs"]
mod process;
#[path = "../skip/mod.rs"]
#[allow(dead_code, reason = "each test target lacks its part")]
mod skip;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use given::Given;
use process::{Ended, Process};

/// Starts `pipeline pack SOURCE --out OUT` with more arguments, in the folder of `given`.
fn start(given: &Given, source: &str, out: &str, more: &[&str]) -> Process {
    let words = [&["pack", source, "--out", out], more].concat();
    Process::start(&given.path(""), words)
}

/// The same, run to its end.
fn pack(given: &Given, source: &str, out: &str, more: &[&str]) -> Ended {
    start(given, source, out, more).wait()
}

/// All files below a folder, by their paths in it.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, found);
            } else {
                let name = path.strip_prefix(root).unwrap().display().to_string();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    found
}

/// The number of finished tars.
fn shards(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.path().extension().is_some_and(|e| e == "tar"))
        .count()
}

/// Asserts that two folders have the same contents, and names the files that differ.
fn assert_same(a: &Path, b: &Path) {
    let (a, b) = (files(a), files(b));
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&a), names(&b));
    let differ: Vec<&String> = a.keys().filter(|name| a[*name] != b[*name]).collect();
    assert!(differ.is_empty(), "these differ: {differ:?}");
}

/// The members of a tar, as GNU tar lists them.
fn listed(tar: &Path) -> Vec<String> {
    let output = std::process::Command::new("tar")
        .args(["--quoting-style=literal", "-tf"])
        .arg(tar)
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}
