//! Checkpoints that were damaged are passed over; which are kept is as the configuration says.

use std::fs;

use pipeline::model::checkpoint;

use crate::given::Given;
use crate::process::{Process, assert_seamless, result, resume, run};

#[test]
fn a_damaged_checkpoint_is_passed_over_for_the_one_before() {
    let given = Given::new(20, 4);
    run(&given, &["run.out=whole", "run.epochs=5"]).expect(0);
    run(&given, &[]).expect(0);
    let out = given.path("run");
    let all = checkpoint::list(&out.join("checkpoints"));
    let [.., (_, before), (_, newest)] = &all[..] else {
        panic!("{all:?}")
    };
    // One byte of a weight, and half of a file: neither may be believed.
    let mut bytes = fs::read(newest).expect("the newest");
    *bytes.last_mut().expect("not empty") ^= 1;
    fs::write(newest, bytes).expect("damaged");
    let bytes = fs::read(before).expect("the one before");
    fs::write(before, &bytes[..bytes.len() / 2]).expect("cut off");
    let inspected = Process::start(&given.path(""), ["inspect".into(), newest.display().to_string()])
        .wait()
        .expect(1);
    assert!(
        inspected.stderr.contains("its checksum does not match"),
        "{}",
        inspected.stderr
    );
    let ended = resume(&given, &["run.epochs=5"]).expect(0);
    let warnings = ended
        .stderr
        .lines()
        .filter(|line| line.contains("going back to the checkpoint before"))
        .count();
    assert_eq!(warnings, 2, "{}", ended.stderr);
    assert_eq!(result(&out), result(&given.path("whole")));
    assert_seamless(&out, 20);
}

#[test]
fn the_first_the_best_and_the_newest_are_kept() {
    let given = Given::new(20, 4);
    run(
        &given,
        &["run.epochs=6", "checkpoint.every_steps=1", "checkpoint.keep=2"],
    )
    .expect(0);
    let folder = given.path("run/checkpoints");
    let best = fs::read_to_string(folder.join("best")).expect("best");
    let kept: Vec<u64> = checkpoint::list(&folder).into_iter().map(|(step, _)| step).collect();
    assert!(
        kept.contains(&0) && kept.contains(&24) && kept.contains(&23),
        "{kept:?}"
    );
    assert!(folder.join(best.trim()).exists(), "{best}");
    assert!(kept.len() <= 4, "{kept:?}");
    let names = fs::read_dir(&folder)
        .expect("the folder")
        .flatten()
        .map(|entry| entry.file_name());
    assert!(
        names.into_iter().all(|name| !name.to_string_lossy().ends_with(".tmp")),
        "nothing half-written is left"
    );
}
