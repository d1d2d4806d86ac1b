//! Programs that find emulated GPUs.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use crate::skip::{self, Need};

/// Options of `scripts/with-emulated-gpus` that find most: the longest delays, each access looked at, another order of blocks.
pub const STRICT: [&str; 5] = ["--schedule", "lazy", "--check", "--order", "desc"];

/// Whether there are emulated GPUs here. Where there are none, the test is recorded as skipped.
pub fn is_there() -> bool {
    static BUILT: OnceLock<bool> = OnceLock::new();
    let works = |command: &mut Command| {
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    let has = |program: &str| works(Command::new(program).arg("--version"));
    let built = *BUILT.get_or_init(|| has("g++") && has("python3") && works(gpus(1, &[]).arg("true")));
    if !built {
        skip::for_lack_of(Need::Gpp, "the emulated GPU cannot be built");
    }
    built
}

/// `scripts/with-emulated-gpus COUNT OPTIONS…`, still without a command.
pub fn gpus(count: usize, options: &[&str]) -> Command {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/with-emulated-gpus");
    let mut command = Command::new(script);
    command.arg(count.to_string()).args(options);
    command
}

/// Runs an ignored test of this target in a process of its own that has a GPU: what it prints, and whether it passes.
pub fn run_alone(test: &str, options: &[&str]) -> Output {
    let own = std::env::current_exe().unwrap();
    let mut command = gpus(1, options);
    command.arg(own).args([test, "--exact", "--ignored", "--nocapture"]);
    command.output().unwrap()
}

/// Asserts that an ignored test of this target passes on an emulated GPU.
pub fn passes(test: &str, options: &[&str]) {
    if !is_there() {
        return;
    }
    let ended = run_alone(test, options);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&ended.stdout), text(&ended.stderr));
    assert!(ended.status.success() && out.contains("1 passed"), "{out}\n{err}");
}
