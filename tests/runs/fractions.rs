//! `data.val = { fraction = … }`: what is reported, evaluated, resumed and refused.
#![allow(clippy::unwrap_used, reason = "a test panics if anything is unexpected")]

use std::fs;

use crate::given::Given;
use crate::process::{Ended, Process, of_kind, result, resume, run};

const ASIDE: &str = "data.val={ fraction = 0.25 }";

fn eval(given: &Given, args: &[&str]) -> Ended {
    Process::start(&given.path(""), [&["eval", "run", "--json"], args].concat()).wait()
}

#[test]
fn images_that_are_set_aside_are_told_and_measured_on() {
    let given = Given::new(8, 1);
    let args = ["check", "train.toml", "--set", ASIDE];
    let shown = Process::start(&given.path(""), args).wait().expect(0).stdout;
    assert!(shown.contains("train 18 images in 3 classes"), "{shown}");
    assert!(shown.contains("val   6 images in 3 classes"), "{shown}");
    assert!(
        shown.contains("set aside from train: 6 of 24 images, chosen by run.seed = 7"),
        "{shown}"
    );
    run(&given, &[ASIDE]).expect(0).says("6 more set aside for validation");
    let evals = of_kind(&given.path("run"), "eval");
    assert!(
        evals.len() == 3 && evals.iter().all(|eval| eval["images"] == 6),
        "{evals:?}"
    );
    // Without a set, the same images; with another set, that one.
    let best = eval(&given, &[]).expect(0).stdout;
    assert!(best.contains("\"images\":6"), "{best}");
    let other = eval(&given, &["--data", "val"]).expect(0).stdout;
    assert!(other.contains("\"images\":3"), "{other}");
}

#[test]
fn a_resumed_run_keeps_what_is_set_aside_and_refuses_to_learn_from_it() {
    let given = Given::new(8, 1);
    run(&given, &[ASIDE, "run.out=whole", "run.epochs=4"]).expect(0);
    run(&given, &[ASIDE, "run.steps=5"]).expect(0);
    // The run's own configuration is sufficient.
    let own = given.path("run/config.toml");
    let text = fs::read_to_string(&own).unwrap();
    assert!(text.contains("val = { fraction = 0.25 }"), "{text}");
    fs::write(
        &own,
        text.replace("steps = 5\n", "").replace("epochs = 3", "epochs = 4"),
    )
    .unwrap();
    let args = ["run".to_string(), own.display().to_string(), "--resume".to_string()];
    Process::start(&given.path(""), args).wait().expect(0);
    assert_eq!(result(&given.path("run")), result(&given.path("whole")));
    for other in [
        &["data.val={ fraction = 0.5 }"][..],
        &["data.val=val"],
        &[ASIDE, "run.seed=8"],
    ] {
        let sets = [other, &["run.epochs=6"]].concat();
        let refused = resume(&given, &sets)
            .expect(2)
            .says("the data sets have changed since the run began");
        let names_the_seed = refused.stderr.contains("run.seed was 7 and is now 8");
        assert_eq!(names_the_seed, other.contains(&"run.seed=8"), "{}", refused.stderr);
    }
}

/// If the set has grown, other images would be set aside, including some that the network has learnt from.
#[test]
fn an_evaluation_on_images_that_may_have_been_learnt_from_is_refused() {
    let given = Given::new(8, 1);
    run(&given, &[ASIDE]).expect(0);
    fs::copy(given.path("train/sky/000.jpg"), given.path("train/sky/900.jpg")).unwrap();
    eval(&given, &[])
        .expect(2)
        .says("so the validation images cannot be identified");
    eval(&given, &["--data", "val"]).expect(0);
}

#[test]
fn ranks_set_the_same_images_aside() {
    let given = Given::new(8, 1);
    let ranks = [0, 1].map(|rank| given.plan(&[ASIDE, "data.ranks=2", &format!("data.rank={rank}")]));
    assert_eq!(ranks[0].fingerprints(), ranks[1].fingerprints());
    assert_eq!(ranks[0].fingerprints(), given.plan(&[ASIDE]).fingerprints());
    assert_ne!(
        ranks[0].fingerprints(),
        given.plan(&[ASIDE, "run.seed=8"]).fingerprints()
    );
}
