//! Every fuzz target on its seeds and on some mutated ones, without coverage guidance. `scripts/campaign` runs them longer and
//! guided.
//!
//! `FUZZ_SEEDS=FOLDER cargo test --test fuzz seeds -- --ignored` writes the seeds of all targets, and the words of their
//! formats, for libFuzzer.
//!
//! `FUZZ_INPUTS=N` sets the number of mutated inputs per target, `FUZZ_SEED=N` which ones. A failing input is kept in
//! `target/campaign/found`; `FUZZ_INPUT=FILE cargo test --test fuzz TARGET` runs it alone.

#![allow(clippy::unwrap_used, reason = "all of this crate is tests")]

use std::cell::Cell;
use std::fs;
use std::panic;
use std::path::{Path, PathBuf};
use std::sync::Once;

#[path = "lib.rs"]
mod fuzz;
mod mutate;

use fuzz::targets::{TARGETS, Target, target};
use mutate::Mutator;
use xxhash_rust::xxh3::xxh3_64;

/// Enough to see that the targets work; the campaign asks for more.
const INPUTS: u64 = 200;

/// Attempts to shorten a failing input.
const SHORTENINGS: usize = 400;

macro_rules! soak {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            soak(target(stringify!($name)));
        })*

        #[test]
        fn every_target_is_run() {
            let names = [$(stringify!($name)),*];
            assert!(TARGETS.iter().all(|target| names.contains(&target.name)));
        }
    };
}

soak! { checkpoint cifar config devkit exif folder idx image list location metrics pack plan report shards statistics tar }

#[test]
#[ignore = "writes files, for the campaign"]
fn seeds() {
    let folder = PathBuf::from(std::env::var_os("FUZZ_SEEDS").unwrap());
    for target in &TARGETS {
        let seeds = folder.join(target.name);
        fs::create_dir_all(&seeds).unwrap();
        for (i, seed) in (target.seeds)().iter().enumerate() {
            fs::write(seeds.join(format!("seed-{i:02}")), seed).unwrap();
        }
        let quoted = |word: &&[u8]| {
            let bytes: String = word.iter().map(|byte| format!("\\x{byte:02x}")).collect();
            format!("\"{bytes}\"\n")
        };
        let words: String = target.words.iter().map(quoted).collect();
        fs::write(folder.join(format!("{}.words", target.name)), words).unwrap();
    }
}

fn soak(target: &Target) {
    if let Some(input) = std::env::var_os("FUZZ_INPUT") {
        return target.on(&fs::read(input).unwrap());
    }
    let number = |name: &str, otherwise| std::env::var(name).map_or(otherwise, |text| text.parse().unwrap());
    listen();
    let (inputs, seed) = (number("FUZZ_INPUTS", INPUTS), number("FUZZ_SEED", 1));
    let seeds = (target.seeds)();
    let mut changed = Mutator::new(seed, &seeds, target.words);
    let changed: Vec<Vec<u8>> = (0..inputs).map(|_| changed.next()).collect();
    for input in seeds.iter().chain(&changed) {
        if let Err(cause) = panic::catch_unwind(|| target.on(input)) {
            let kept = keep(target, &shorter(target, input));
            eprintln!(
                "reproduce: FUZZ_INPUT={} cargo test --test fuzz {}",
                kept.display(),
                target.name
            );
            panic::resume_unwind(cause);
        }
    }
}

thread_local! {
    /// Whether this thread's panics are expected.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Reports panics except those that are expected.
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let tell = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                tell(info);
            }
        }));
    });
}

/// A shorter input that also fails.
fn shorter(target: &Target, input: &[u8]) -> Vec<u8> {
    QUIET.set(true);
    let mut best = input.to_vec();
    let mut length = best.len() / 2;
    let mut attempts = 0;
    while length > 0 && attempts < SHORTENINGS {
        let mut from = 0;
        while from < best.len() && attempts < SHORTENINGS {
            let mut candidate = best.clone();
            candidate.drain(from..(from + length).min(best.len()));
            attempts += 1;
            if panic::catch_unwind(|| target.on(&candidate)).is_err() {
                best = candidate;
            } else {
                from += length;
            }
        }
        length /= 2;
    }
    QUIET.set(false);
    best
}

fn keep(target: &Target, input: &[u8]) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/campaign/found");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{}-{:016x}", target.name, xxh3_64(input)));
    fs::write(&path, input).unwrap();
    path
}
