//! `pipeline … | head`: a reader that leaves ends the command without a word.

use std::fs::File;
use std::io::{Read, pipe};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use crate::given::Given;
use crate::process::{Process, resume};

/// Runs `pipeline` with standard output, or standard error too, into a pipe that nobody reads. Gives the signal that ended it
/// and what it complained of.
fn into_a_closed_pipe(given: &Given, args: &[&str], also_stderr: bool) -> (Option<i32>, String) {
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
    (status.expect("it starts").signal(), text)
}

#[test]
fn a_reader_that_has_gone_ends_every_command_quietly() {
    let given = Given::new(2, 1);
    let commands: [&[&str]; 7] = [
        &["inspect", "train"],
        &["check", "train.toml"],
        &["man"],
        &["completions", "bash"],
        &["pack", "train", "--out", "packed", "--quiet"],
        &["run", "train.toml", "--quiet"],
        &["eval", "run", "--quiet"],
    ];
    for command in commands {
        let (signal, stderr) = into_a_closed_pipe(&given, command, false);
        assert_eq!((signal, stderr.as_str()), (Some(libc::SIGPIPE), ""), "{command:?}");
    }
    // What was done was done.
    assert!(given.path("packed/dataset.json").exists());
    assert!(
        Process::start(&given.path(""), ["inspect", "run"])
            .wait()
            .expect(0)
            .stdout
            .contains("complete")
    );
}

#[test]
fn a_run_whose_log_nobody_reads_any_more_can_be_resumed() {
    let given = Given::new(8, 1);
    let (signal, _) = into_a_closed_pipe(&given, &["run", "train.toml"], true);
    assert_eq!(signal, Some(libc::SIGPIPE));
    resume(&given, &[]).expect(0);
}
