//! The binary as a child process with a time limit, and access to the files it writes.

use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use pipeline::model::checkpoint;
use serde_json::Value;

use crate::given::Given;

/// Far more than any of these runs needs, even on a busy machine.
const LIMIT: Duration = Duration::from_mins(1);

/// The binary.
pub const PIPELINE: &str = env!("CARGO_BIN_EXE_pipeline");

/// How a process ended, and what it printed.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it, if any.
    pub signal: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// A running process, killed on drop.
pub struct Process {
    child: Child,
    stdout: Option<JoinHandle<String>>,
    stderr: Option<JoinHandle<String>>,
    start: Instant,
}

impl Process {
    /// Starts `pipeline` in `folder`.
    pub fn start<S: AsRef<OsStr>>(folder: &Path, args: impl IntoIterator<Item = S>) -> Self {
        Self::start_as(Command::new(PIPELINE), folder, args)
    }

    /// Starts it with another home folder.
    pub fn start_at_home<S: AsRef<OsStr>>(folder: &Path, home: &Path, args: impl IntoIterator<Item = S>) -> Self {
        let mut command = Command::new(PIPELINE);
        command.env("HOME", home);
        Self::start_as(command, folder, args)
    }

    /// Starts it with at most `kilobytes` of address space.
    pub fn start_limited<S: AsRef<OsStr>>(folder: &Path, kilobytes: u32, args: impl IntoIterator<Item = S>) -> Self {
        let mut shell = Command::new("sh");
        let limited = format!("ulimit -v {kilobytes}; exec \"$0\" \"$@\"");
        shell.args(["-c", &limited, PIPELINE]);
        Self::start_as(shell, folder, args)
    }

    /// Starts another command in `folder`.
    pub fn start_as<S: AsRef<OsStr>>(mut command: Command, folder: &Path, args: impl IntoIterator<Item = S>) -> Self {
        command
            .args(args)
            .current_dir(folder)
            .env_remove("RUST_LOG")
            .env_remove("RUST_BACKTRACE")
            .env("COLUMNS", "100");
        // SAFETY: signal(2) is safe between fork and exec, and touches no memory of ours.
        unsafe {
            command.pre_exec(|| {
                // The tests themselves may run under nohup, and the program would inherit that setting.
                libc::signal(libc::SIGHUP, libc::SIG_DFL);
                Ok(())
            });
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        Self {
            child,
            stdout: stdout.map(read),
            stderr: stderr.map(read),
            start: Instant::now(),
        }
    }

    /// Sends a signal.
    pub fn signal(&self, signal: i32) {
        // SAFETY: the child has not been waited for, so its id is still valid; kill touches no memory.
        unsafe { libc::kill(self.child.id() as i32, signal) };
    }

    /// Waits for the end; after the time limit kills the process and fails.
    pub fn wait(mut self) -> Ended {
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                break Some(status);
            }
            if self.start.elapsed() > LIMIT {
                let _ = self.child.kill();
                break None;
            }
            thread::sleep(Duration::from_millis(5));
        };
        let text = |pipe: Option<JoinHandle<String>>| pipe.and_then(|pipe| pipe.join().ok()).unwrap_or_default();
        let (stdout, stderr) = (text(self.stdout.take()), text(self.stderr.take()));
        let Some(status) = status else {
            panic!("still running after {LIMIT:?}\n{stdout}\n{stderr}")
        };
        Ended {
            code: status.code(),
            signal: status.signal(),
            stdout,
            stderr,
        }
    }

    /// Waits until `done`, or until the process has ended.
    pub fn until_or_ended(&mut self, mut done: impl FnMut() -> bool) {
        while !done() && self.child.try_wait().expect("it is our child").is_none() {
            assert!(self.start.elapsed() < LIMIT, "it neither gets that far nor ends");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Waits until `done`; fails if the process ends first.
    pub fn until(&mut self, what: &str, mut done: impl FnMut() -> bool) {
        while !done() {
            assert!(self.start.elapsed() < LIMIT, "{what} has not come");
            assert!(
                self.child.try_wait().expect("it is our child").is_none(),
                "ended before {what}"
            );
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

impl Ended {
    /// Asserts the exit code.
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Asserts that standard error contains `text`.
    pub fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "{text:?} is missing in\n{}", self.stderr);
        self
    }
}

/// The arguments of a run, with `--set` for each of `sets`.
pub fn run_args(given: &Given, resume: bool, sets: &[&str]) -> Vec<String> {
    let mut args = vec!["run".to_string(), given.toml().display().to_string()];
    if resume {
        args.push("--resume".to_string());
    }
    for set in sets {
        args.extend(["--set".to_string(), (*set).to_string()]);
    }
    args
}

/// Starts a run.
pub fn start(given: &Given, resume: bool, sets: &[&str]) -> Process {
    Process::start(&given.path(""), run_args(given, resume, sets))
}

/// Runs to the end.
pub fn run(given: &Given, sets: &[&str]) -> Ended {
    start(given, false, sets).wait()
}

/// Resumes a run, to its end.
pub fn resume(given: &Given, sets: &[&str]) -> Ended {
    start(given, true, sets).wait()
}

/// The events of the run in `out`.
pub fn events(out: &Path) -> Vec<Value> {
    let text = fs::read_to_string(out.join("metrics.jsonl")).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

/// The events of one kind.
pub fn of_kind(out: &Path, kind: &str) -> Vec<Value> {
    events(out).into_iter().filter(|event| event["event"] == kind).collect()
}

/// The number of steps in the metrics so far, while they are being written.
pub fn steps_so_far(out: &Path) -> usize {
    let text = fs::read_to_string(out.join("metrics.jsonl")).unwrap_or_default();
    text.lines().filter(|line| line.contains("\"event\":\"step\"")).count()
}

/// All bits of a checkpoint's weights and momentum, by name.
pub type Bits = Vec<(String, Vec<u32>, Vec<u32>)>;

/// The result of a run: its last checkpoint's step, bits and stream hash.
#[derive(Debug, PartialEq)]
pub struct Result {
    /// The number of updates.
    pub step: u64,
    /// The rolling hash of the training stream.
    pub stream: u64,
    /// The newest evaluation.
    pub newest: Value,
    /// Weights and momentum.
    pub bits: Bits,
}

/// Reads the last checkpoint of the run in `out`.
pub fn result(out: &Path) -> Result {
    let (step, path) = checkpoint::list(&out.join("checkpoints"))
        .expect("the folder")
        .pop()
        .expect("a checkpoint");
    let loaded = checkpoint::read(&path).expect("a whole checkpoint");
    let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect();
    let parameters = loaded
        .parameters
        .iter()
        .map(|p| (p.name.clone(), bits(&p.value), bits(&p.momentum)))
        .collect();
    let stream = loaded.state["stream"].as_u64().expect("a stream hash");
    Result {
        step,
        stream,
        newest: loaded.state["newest"].clone(),
        bits: parameters,
    }
}

/// Asserts that the metrics contain each of `steps` steps once and in order, and each evaluation once.
pub fn assert_seamless(out: &Path, steps: u64) {
    let numbers = |kind: &str| -> Vec<u64> {
        of_kind(out, kind)
            .iter()
            .filter_map(|event| event["step"].as_u64())
            .collect()
    };
    assert!(numbers("step").into_iter().eq(1..=steps), "{:?}", numbers("step"));
    let evaluations = numbers("eval");
    assert!(evaluations.is_sorted_by(|a, b| a < b), "{evaluations:?}");
}
