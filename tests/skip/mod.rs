//! Records skipped tests, so that a skip is not mistaken for a pass.
//!
//! `PIPELINE_NO_SKIP` lists what must be available (`fashion-mnist,mount`): a test that lacks it fails. `PIPELINE_SKIPPED`
//! names a file to which each skipped test adds a line. `scripts/test` sets both; `scripts/skip` does the same for scripts.

use std::env;
use std::fs::OpenOptions;
use std::io::Write;
use std::thread;

/// What some machines lack.
#[derive(Clone, Copy)]
pub enum Need {
    /// The collection of odd JPEGs, which is not part of the project.
    Images,
    /// Debian's package `dataset-fashion-mnist`, which `scripts/setup` installs.
    FashionMnist,
    /// A processor with AVX-512.
    Avx512,
    /// Permission to mount a small file system.
    Mount,
    /// A C++ compiler, for the emulated GPU.
    Gpp,
}

impl Need {
    /// Its name in `PIPELINE_NO_SKIP`.
    fn name(self) -> &'static str {
        match self {
            Self::Images => "images",
            Self::FashionMnist => "fashion-mnist",
            Self::Avx512 => "avx-512",
            Self::Mount => "mount",
            Self::Gpp => "g++",
        }
    }
}

/// Records that this test, or a part of it, is skipped for lack of `need`; fails if that is not allowed.
pub fn for_lack_of(need: Need, reason: &str) {
    let (name, thread) = (need.name(), thread::current());
    let test = thread.name().expect("a test's thread has its name");
    let demanded = env::var("PIPELINE_NO_SKIP").unwrap_or_default();
    assert!(
        demanded.split(',').all(|demanded| demanded != name),
        "{reason}, and PIPELINE_NO_SKIP demands {name}"
    );
    let line = format!("{test}: {reason} ({name})\n");
    eprint!("skipped: {line}");
    if let Some(list) = env::var_os("PIPELINE_SKIPPED") {
        let list = OpenOptions::new().append(true).create(true).open(list);
        let written = list.and_then(|mut list| list.write_all(line.as_bytes()));
        written.expect("PIPELINE_SKIPPED is a file that can be written");
    }
}
