//! What `--resume` may find: a moved run, unreadable checkpoints, no intact checkpoint, truncated events.

use std::fs;

use pipeline::model::checkpoint;

use crate::given::Given;
use crate::process::{Process, assert_seamless, result, resume, run, start};

fn checkpoints(given: &Given) -> Vec<(u64, std::path::PathBuf)> {
    checkpoint::list(&given.path("run/checkpoints")).expect("the folder")
}

#[test]
fn a_checkpoint_that_cannot_be_read_is_not_damaged() {
    let given = Given::new(20, 4);
    run(&given, &[]).expect(0);
    let (_, newest) = checkpoints(&given).pop().expect("one");
    // Even root cannot read a folder as a file.
    let aside = given.path("aside");
    fs::rename(&newest, &aside).expect("put aside");
    fs::create_dir(&newest).expect("a folder in its place");
    let before: Vec<_> = checkpoints(&given);
    let ended = resume(&given, &["run.epochs=5"]).expect(1);
    assert!(
        ended.stderr.contains("cannot be read: Is a directory"),
        "{}",
        ended.stderr
    );
    assert_eq!(checkpoints(&given), before, "nothing was touched");
    // Once the checkpoint can be read again, the run resumes from it.
    fs::remove_dir(&newest).expect("removed");
    fs::rename(&aside, &newest).expect("back");
    resume(&given, &["run.epochs=5"])
        .expect(0)
        .says("resuming after step 12");
    assert_seamless(&given.path("run"), 20);
}

#[test]
fn a_run_without_an_intact_checkpoint_is_not_restarted() {
    let given = Given::new(20, 4);
    run(&given, &[]).expect(0);
    for (_, path) in checkpoints(&given) {
        fs::write(path, b"no checkpoint").expect("damaged");
    }
    let metrics = fs::read(given.path("run/metrics.jsonl")).expect("events");
    let ended = resume(&given, &["run.epochs=5"]).expect(1);
    assert!(
        ended.stderr.contains("none of its checkpoints is intact"),
        "{}",
        ended.stderr
    );
    assert_eq!(fs::read(given.path("run/metrics.jsonl")).expect("events"), metrics);
    // Nor if somebody has removed them all.
    fs::remove_dir_all(given.path("run/checkpoints")).expect("removed");
    let ended = resume(&given, &[]).expect(1);
    assert!(
        ended.stderr.contains("lists checkpoints, but none exists"),
        "{}",
        ended.stderr
    );
}

#[test]
fn where_nothing_was_saved_a_resumed_run_says_that_it_starts() {
    let given = Given::new(20, 4);
    resume(&given, &[]).expect(0).says("run: starting from scratch");
}

#[test]
fn a_moved_run_continues_in_its_new_folder() {
    let given = Given::new(20, 4);
    run(&given, &["run.out=whole", "run.epochs=5"]).expect(0);
    run(&given, &["run.out=a"]).expect(0);
    fs::rename(given.path("a"), given.path("b")).expect("moved");
    let resume = |config: &str| {
        let args = ["run", config, "--resume", "--set", "run.epochs=5"];
        Process::start(&given.path(""), args).wait()
    };
    resume("b/config.toml").expect(0).says("resuming the run in b");
    assert!(!given.path("a").exists());
    assert_eq!(result(&given.path("b")), result(&given.path("whole")));
    assert_seamless(&given.path("b"), 20);
    // Its new configuration has the new path.
    let again = resume("b/config.toml").expect(0);
    assert!(!again.stderr.contains("resuming the run in"), "{}", again.stderr);
    // A network can be evaluated from any folder.
    fs::rename(given.path("b"), given.path("c")).expect("moved");
    Process::start(&given.path(""), ["eval", "c"]).wait().expect(0);
}

#[test]
fn truncated_events_are_dropped_and_reported() {
    let given = Given::new(20, 4);
    run(&given, &[]).expect(0);
    let path = given.path("run/metrics.jsonl");
    let mut events = fs::read(&path).expect("events");
    events.splice(0..0, *b"{\"event\":\"step\",\"st\xff\n");
    events.extend_from_slice(b"{\"event\":\"ste");
    fs::write(&path, events).expect("torn");
    let ended = resume(&given, &["run.epochs=5"]).expect(0);
    assert!(ended.stderr.contains("are damaged and ignored"), "{}", ended.stderr);
    assert_seamless(&given.path("run"), 20);
    assert!(!given.path("run/replay.json").exists(), "nothing is left to compare");
}

/// Of two runs started in one folder, one runs, and the other touches nothing.
#[test]
fn of_two_that_begin_at_once_one_is_refused() {
    let given = Given::new(20, 4);
    for round in 0..6 {
        let out = format!("run.out=both-{round}");
        let both = [start(&given, false, &[&out]), start(&given, false, &[&out])];
        let mut codes = both.map(|process| process.wait().code.expect("no signal"));
        codes.sort_unstable();
        assert!(codes == [0, 1] || codes == [0, 2], "{codes:?}");
        assert_seamless(&given.path(&format!("both-{round}")), 12);
    }
}

#[test]
fn files_that_were_cut_off_are_swept_and_all_have_the_same_modes() {
    use std::os::unix::fs::PermissionsExt;
    let given = Given::new(20, 4);
    run(&given, &["run.epochs=2"]).expect(0);
    let folder = given.path("run");
    let left = [
        folder.join(".metrics.jsonl.tmp"),
        folder.join("checkpoints/.step-00000099.safetensors.tmp"),
    ];
    left.iter().for_each(|path| fs::write(path, "half").expect("written"));
    resume(&given, &["run.epochs=3"]).expect(0);
    assert!(left.iter().all(|path| !path.exists()));
    let mode = |name: &str| {
        fs::metadata(folder.join(name))
            .expect("it is there")
            .permissions()
            .mode()
            & 0o777
    };
    let config = mode("config.toml");
    for name in [
        "metrics.jsonl",
        "report.html",
        "checkpoints/best",
        "checkpoints/step-00000012.safetensors",
    ] {
        assert_eq!(mode(name), config, "{name}");
    }
}
