//! Standard output and standard error that nobody reads, or that cannot be written.

use std::fs::File;
use std::io::{Read, pipe};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};

use crate::given::Given;
use crate::process::{Process, result, run};

/// Runs `pipeline` with standard output, and optionally standard error, into a pipe that nobody reads. Returns its exit status
/// and what it wrote to standard error.
fn into_a_closed_pipe(given: &Given, args: &[&str], also_stderr: bool) -> (ExitStatus, String) {
    let (reader, writer) = pipe().expect("a pipe");
    drop(reader);
    let errors = given.path("stderr.txt");
    let stderr = if also_stderr {
        Stdio::from(writer.try_clone().expect("a second end"))
    } else {
        Stdio::from(File::create(&errors).expect("a file"))
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_pipeline"));
    command.args(args).current_dir(given.path("")).env_remove("RUST_LOG");
    let status = command.stdin(Stdio::null()).stdout(writer).stderr(stderr).status();
    let mut text = String::new();
    if !also_stderr {
        let mut file = File::open(errors).expect("the file");
        file.read_to_string(&mut text).expect("text");
    }
    (status.expect("it starts"), text)
}

#[test]
fn a_reader_that_has_gone_ends_a_command_that_answers_quietly() {
    let given = Given::new(2, 1);
    run(&given, &[]).expect(0);
    let commands: [&[&str]; 5] = [
        &["inspect", "train"],
        &["check", "train.toml"],
        &["man"],
        &["completions", "bash"],
        &["eval", "run", "--quiet"],
    ];
    for command in commands {
        let (status, stderr) = into_a_closed_pipe(&given, command, false);
        assert_eq!(
            (status.signal(), stderr.as_str()),
            (Some(libc::SIGPIPE), ""),
            "{command:?}"
        );
    }
}

/// The results of these commands are on disk, so they continue even if nobody reads their output.
#[test]
fn a_working_command_continues_though_nobody_reads_its_output() {
    let given = Given::new(8, 1);
    for (args, also_stderr) in [
        (["pack", "train", "--out", "a"], false),
        (["pack", "train", "--out", "b"], true),
    ] {
        let (status, _) = into_a_closed_pipe(&given, &args, also_stderr);
        assert_eq!(status.code(), Some(0), "{args:?}");
    }
    let (status, _) = into_a_closed_pipe(&given, &["run", "train.toml"], true);
    assert_eq!(status.code(), Some(0));
    let inspected = Process::start(&given.path(""), ["inspect", "run"]).wait().expect(0);
    assert!(inspected.stdout.contains("complete"), "{}", inspected.stdout);
}

/// Runs `pipeline` with a stream that cannot be written, as on a full disk.
fn into_a_full_disk(given: &Given, args: &[&str], stdout: bool, stderr: bool) -> (Option<i32>, String) {
    let full = |is_full: bool| {
        let file = File::options().write(true).open("/dev/full").expect("/dev/full");
        if is_full { Stdio::from(file) } else { Stdio::piped() }
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_pipeline"));
    command.args(args).current_dir(given.path("")).env_remove("RUST_LOG");
    let output = command
        .stdin(Stdio::null())
        .stdout(full(stdout))
        .stderr(full(stderr))
        .output();
    let output = output.expect("it starts");
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[test]
fn a_run_continues_if_its_output_cannot_be_written() {
    let given = Given::new(8, 1);
    // With all its log lines, and a skipped image.
    std::fs::write(given.path("train/grass/000.jpg"), b"no image").expect("written");
    let args = ["run", "train.toml", "-vv", "--set", "run.on_bad_image=skip"];
    assert_eq!(into_a_full_disk(&given, &args, true, true).0, Some(0));
    let whole = result(&given.path("run"));
    std::fs::remove_dir_all(given.path("run")).expect("removed");
    run(&given, &["run.on_bad_image=skip"]).expect(0);
    assert_eq!(result(&given.path("run")), whole);
}

#[test]
fn an_answer_that_cannot_be_written_is_a_failure_with_a_reason() {
    let given = Given::new(2, 1);
    run(&given, &[]).expect(0);
    let image = given.path("val/sky/000.jpg").display().to_string();
    let commands: [&[&str]; 8] = [
        &["inspect", "train"],
        &["check", "train.toml"],
        &["man"],
        &["completions", "bash"],
        &["eval", "run", "--quiet"],
        &["predict", "run", &image],
        &["predict", "run", &image, "--json"],
        &["--help"],
    ];
    for command in commands {
        let (code, stderr) = into_a_full_disk(&given, command, true, false);
        assert_eq!(code, Some(1), "{command:?}: {stderr}");
        assert!(
            command == ["--help"] || stderr.contains("No space left on device"),
            "{command:?}: {stderr}"
        );
    }
    // The exit code of a failure stays the same even if the message cannot be written.
    assert_eq!(into_a_full_disk(&given, &["inspect", "nowhere"], true, true).0, Some(1));
    assert_eq!(into_a_full_disk(&given, &["--no-such-thing"], true, true).0, Some(2));
}
