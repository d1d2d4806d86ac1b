//! The emulated GPU does what its README says.
//!
//! Its own tests are in Python: they call the driver's functions as any program does. The first of them builds the
//! emulator.

#![allow(clippy::unwrap_used, reason = "a test ends where its world is not as expected")]

#[path = "skip/mod.rs"]
#[allow(dead_code, reason = "each test target lacks its part")]
mod skip;

use std::path::Path;
use std::process::{Command, Stdio};

use skip::Need;

fn is_there(program: &str) -> bool {
    let version = Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    version.is_ok_and(|status| status.success())
}

/// Runs one file of tests.
fn passes(name: &str) {
    if !is_there("g++") || !is_there("python3") {
        return skip::for_lack_of(Need::Gpp, "the emulated GPU cannot be built");
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/emulated_gpu/tests/test_{name}.py"));
    let output = Command::new("python3").arg("-B").arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn instructions_give_what_they_should() {
    passes("instructions");
}

#[test]
fn matrix_instructions_and_asynchronous_copies() {
    passes("tensor");
}

#[test]
fn mistakes_in_kernels_are_found() {
    passes("checks");
}

#[test]
fn streams_are_as_free_as_on_a_gpu() {
    passes("streams");
}

#[test]
fn graphs_are_captured_and_launched() {
    passes("graphs");
}

#[test]
fn what_is_pretended_what_fails_and_what_is_written() {
    passes("settings");
}
