//! Signals: Ctrl-C once saves and stops, twice stops at once; also a terminal that closes and a process that is halted.

use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use pipeline::model::checkpoint;

use crate::given::Given;
use crate::process::{assert_seamless, of_kind, result, resume, run, start, steps_so_far};

/// A run that only a signal ends, however slow the machine is.
const SETS: [&str; 2] = ["run.epochs=100000", "checkpoint.every_steps=100000"];

#[test]
fn the_first_signal_saves_and_says_how_to_resume() {
    let given = Given::new(20, 4);
    let out = given.path("stopped");
    let sets = [&SETS[..], &["run.out=stopped"]].concat();
    for (signal, resumed) in [(libc::SIGINT, false), (libc::SIGTERM, true), (libc::SIGHUP, true)] {
        let before = steps_so_far(&out);
        let mut process = start(&given, resumed, &sets);
        process.until("a step", || steps_so_far(&out) > before + 2);
        process.signal(signal);
        let ended = process.wait().expect(3).says("stopping after this step and saving");
        let last = ended.stderr.lines().last().unwrap_or_default();
        let toml = given.toml();
        let command = format!("pipeline run {} --resume --set run.epochs=100000", toml.display());
        assert!(
            last.starts_with("saved; resume with ") && last.contains(&command),
            "{last}"
        );
        let step = result(&out).step;
        assert!(
            step > 0 && step == of_kind(&out, "step").len() as u64,
            "the step under way is finished and saved"
        );
    }
    let epochs = format!("run.epochs={}", result(&out).step.div_ceil(4) + 3);
    resume(&given, &["run.out=stopped", &epochs]).expect(0);
    run(&given, &["run.out=whole", &epochs]).expect(0);
    assert_eq!(result(&out), result(&given.path("whole")));
    assert_seamless(&out, result(&out).step);
}

#[test]
fn the_second_signal_leaves_at_once_and_hurts_no_checkpoint() {
    let given = Given::new(20, 4);
    // A step that takes seconds: after one signal, the run would wait for its end.
    let slow = "model.layers=[{ type = \"conv\", name = \"c\", channels = 256, kernel = 5, padding = 2 }, \
                { type = \"conv\", name = \"d\", channels = 256, kernel = 5, padding = 2 }, { type = \"fc\", name = \"f\" }]";
    let sets = [slow, "staging.batch=60", "compute.threads=1", "run.epochs=1000"];
    let out = given.path("run");
    let mut process = start(&given, false, &sets);
    process.until("the first checkpoint", || {
        checkpoint::list(&out.join("checkpoints")).is_ok_and(|all| !all.is_empty())
    });
    process.signal(libc::SIGINT);
    sleep(Duration::from_millis(300));
    process.signal(libc::SIGINT);
    let ended = process.wait();
    // The step may have ended between the two signals.
    assert!(matches!(ended.code, Some(130 | 3)), "{ended:#?}");
    result(&out);
}

#[test]
fn a_run_that_ended_within_an_epoch_takes_more_steps() {
    let given = Given::new(20, 4);
    run(&given, &["run.steps=6"]).expect(0);
    resume(&given, &["run.steps=11"]).expect(0);
    run(&given, &["run.steps=11", "run.out=whole"]).expect(0);
    let (more, whole) = (result(&given.path("run")), result(&given.path("whole")));
    assert_eq!((more.step, more), (11, whole));
}

#[test]
fn a_finished_run_is_told_to_be_so_and_takes_more_epochs() {
    let given = Given::new(20, 4);
    run(&given, &[]).expect(0);
    let again = resume(&given, &[]).expect(0);
    assert!(again.stdout.contains("done: 12 steps"), "{}", again.stdout);
    resume(&given, &["run.epochs=5"]).expect(0);
    run(&given, &["run.epochs=5", "run.out=whole"]).expect(0);
    assert_eq!(result(&given.path("run")), result(&given.path("whole")));
    assert_seamless(&given.path("run"), 20);
}

/// A closing terminal sends SIGHUP, sometimes twice, and also closes standard error.
#[test]
fn closing_the_terminal_saves_the_run_however_many_signals_it_sends() {
    let given = Given::new(20, 4);
    let mut process = start(&given, false, &SETS);
    process.until("a step", || steps_so_far(&given.path("run")) > 2);
    for _ in 0..3 {
        process.signal(libc::SIGHUP);
    }
    process.wait().expect(3).says("saved; resume with ");
    assert!(result(&given.path("run")).step > 0);
}

#[test]
fn a_run_under_nohup_outlives_its_terminal() {
    let given = Given::new(20, 4);
    let status = Command::new("nohup")
        .args(["sh", "-c"])
        // The process sends SIGHUP to itself when the first step is done.
        .arg(format!(
            "{} run train.toml --set run.epochs=30 2>log & p=$!; \
             until [ -s run/metrics.jsonl ]; do sleep 0.01; done; kill -HUP $p; wait $p",
            env!("CARGO_BIN_EXE_pipeline")
        ))
        .current_dir(given.path(""))
        .output()
        .expect("nohup is there");
    assert_eq!(status.status.code(), Some(0), "{status:?}");
    assert_eq!(result(&given.path("run")).step, 120);
}

/// Ctrl-Z, a suspended job or a paused container.
#[test]
fn a_process_that_was_halted_has_not_stalled() {
    let given = Given::new(20, 4);
    let sets = [
        "run.epochs=100000",
        "evaluate.every_epochs=100000",
        "run.stall_after_s=2",
    ];
    let mut process = start(&given, false, &sets);
    let out = given.path("run");
    process.until("a step", || steps_so_far(&out) > 2);
    process.signal(libc::SIGSTOP);
    sleep(Duration::from_secs(6));
    process.signal(libc::SIGCONT);
    let before = steps_so_far(&out);
    process.until("more steps", || steps_so_far(&out) > before + 2);
    // Long enough for a tick, which would detect it.
    sleep(Duration::from_millis(1500));
    process.signal(libc::SIGTERM);
    process.wait().expect(3);
}
