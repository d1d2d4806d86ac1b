//! What a run refuses before it begins, so that nothing is overwritten or mixed up.

use std::fs;

use pipeline::model::checkpoint;

use crate::given::Given;
use crate::process::{result, resume, run, start, steps_so_far};

#[test]
fn a_folder_that_holds_a_run_is_refused_and_resume_is_named() {
    let given = Given::new(4, 1);
    run(&given, &[]).expect(0);
    let before = result(&given.path("run"));
    let ended = run(&given, &[])
        .expect(2)
        .says("already contains a run, at step 3")
        .says("--resume")
        .says("run.out");
    assert!(ended.stderr.starts_with("error: "), "{}", ended.stderr);
    assert_eq!(result(&given.path("run")), before);
}

#[test]
fn resume_starts_where_there_is_no_run() {
    let given = Given::new(4, 1);
    resume(&given, &[]).expect(0);
    assert_eq!(result(&given.path("run")).step, 3);
}

#[test]
fn the_second_of_two_processes_in_a_folder_is_refused() {
    let given = Given::new(20, 1);
    let mut first = start(&given, false, &["run.epochs=100000", "evaluate.every_epochs=100000"]);
    first.until("a step", || steps_so_far(&given.path("run")) > 0);
    resume(&given, &["run.epochs=100000", "evaluate.every_epochs=100000"])
        .expect(1)
        .says("another process is using this folder");
    let before = steps_so_far(&given.path("run"));
    first.until("more steps", || steps_so_far(&given.path("run")) > before);
    first.signal(libc::SIGINT);
    first.wait().expect(3);
}

#[test]
fn a_changed_key_that_alters_results_is_refused_with_a_list_unless_it_is_set() {
    let given = Given::new(4, 1);
    run(&given, &["run.epochs=2"]).expect(0);
    let changed = given
        .text()
        .replace("lr = 0.01", "lr = 0.02")
        .replace("p = 0.1", "p = 0.2");
    fs::write(given.toml(), changed.replace("slots = 2", "slots = 3")).expect("train.toml is written");
    let ended = resume(&given, &[])
        .expect(2)
        .says("solver.lr was 0.01 and is now 0.02")
        .says("model.layers was ")
        .says("--set");
    assert!(
        !ended.stderr.contains("slots"),
        "it changes no result:\n{}",
        ended.stderr
    );
    resume(&given, &["solver.lr=0.02"]).expect(2).says("model.layers was ");
    fs::write(given.toml(), given.text()).expect("train.toml is written");
    resume(&given, &["solver.lr=0.02", "run.epochs=3"]).expect(0);
    assert_eq!(result(&given.path("run")).step, 3);
    // The checkpoint has the new value, so going back to the old one is another change.
    resume(&given, &["run.epochs=4"])
        .expect(2)
        .says("solver.lr was 0.02 and is now 0.01");
}

#[test]
fn other_data_are_refused() {
    let given = Given::new(4, 1);
    run(&given, &[]).expect(0);
    fs::copy(given.path("train/sky/000.jpg"), given.path("train/sky/900.jpg")).expect("one more image");
    resume(&given, &["run.epochs=5"])
        .expect(2)
        .says("the data sets have changed since the run began");
}

#[test]
fn images_whose_content_changed_meanwhile_are_noticed() {
    let given = Given::new(20, 1);
    let sets = [
        "run.epochs=100000",
        "evaluate.every_epochs=100000",
        "checkpoint.every_steps=100000",
    ];
    let mut process = start(&given, false, &sets);
    // Without a checkpoint the run would start from scratch, and no step would be repeated.
    let is_saved = || checkpoint::list(&given.path("run/checkpoints")).is_ok_and(|all| !all.is_empty());
    process.until("some steps", || is_saved() && steps_so_far(&given.path("run")) > 8);
    process.signal(libc::SIGKILL);
    assert_eq!(process.wait().signal, Some(libc::SIGKILL));
    // Another image of the same size: names, labels and sizes stay the same, so only the stream reveals it.
    let path = given.path("train/sky/000.jpg");
    let mut bytes = fs::read(&path).expect("an image");
    let at = bytes.len() - 20;
    bytes[at] ^= 8;
    fs::write(&path, bytes).expect("another image");
    // Not only the first time: the expected steps are remembered until they have been repeated.
    for _ in 0..2 {
        resume(&given, &sets)
            .expect(1)
            .says("the samples differ from those of the interrupted run");
    }
    // Deliberately changed settings give another stream, so there is nothing to compare with.
    let asked = [&sets[..], &["augment.flip=0.25", "run.steps=12"]].concat();
    resume(&given, &asked).expect(0);
}

#[test]
fn a_run_keeps_its_batch_size() {
    let given = Given::new(4, 1);
    run(&given, &[]).expect(0);
    resume(&given, &["staging.batch=8", "run.epochs=5"])
        .expect(2)
        .says("staging.batch was 16 and is now 8");
}

#[test]
fn a_run_keeps_its_part_of_the_data() {
    let given = Given::new(11, 1);
    let rank = ["data.ranks=2", "data.rank=1", "staging.batch=8"];
    run(&given, &rank).expect(0);
    // 33 images on two ranks: three steps of 8 per epoch; the last includes a row of padding.
    assert_eq!(result(&given.path("run")).step, 9);
    let more = ["staging.batch=8", "run.epochs=5"];
    resume(&given, &more).expect(2).says("data.ranks was 2 and is now 1");
    fs::write(
        given.toml(),
        given.text().replace("[augment]", "ranks = 2\n\n[augment]"),
    )
    .expect("written");
    resume(&given, &more).expect(2).says("data.rank was 1 and is now 0");
    resume(&given, &[&rank[..], &["run.epochs=5"]].concat()).expect(0);
}

#[test]
fn ranks_that_do_not_exist_are_refused_by_name() {
    let given = Given::new(2, 1);
    run(&given, &["data.ranks=0"])
        .expect(2)
        .says("--set: data.ranks: expected a whole number from 1 to 65536, found 0");
    run(&given, &["data.ranks=3", "data.rank=3"])
        .expect(2)
        .says("data.rank: there is no rank 3: data.ranks is 3, so ranks go from 0 to 2");
    run(&given, &["data.ranks=65536", "staging.batch=100000"])
        .expect(2)
        .says("exceed the limit of 4,294,967,295 rows");
}

/// Its files would be samples of the next run.
#[test]
fn a_run_inside_its_own_data_is_refused_before_anything_is_written() {
    let given = Given::new(4, 2);
    for (key, out) in [
        ("data.train", "train/runs/x"),
        ("data.val", "val/../val"),
        ("data.train", "./train"),
    ] {
        let ended = run(&given, &[&format!("run.out={out}")]).expect(2);
        assert!(ended.stderr.contains(&format!("is inside {key}")), "{}", ended.stderr);
    }
    assert!(!given.path("train/runs").exists());
    assert!(!given.path("val/checkpoints").exists());
}
