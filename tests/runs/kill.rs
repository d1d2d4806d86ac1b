//! A run that is killed at random moments ends with the same bits as an uninterrupted one.

use std::thread;
use std::time::Duration;

use pipeline::rng::{Philox, Purpose};

use crate::given::Given;
use crate::process::{assert_seamless, result, resume, run, start, steps_so_far};

/// Three validation images per class, 9 in all: ninths have no exact decimal or binary fraction.
const VALIDATION: usize = 3;

const SETS: [&str; 3] = ["run.epochs=30", "checkpoint.every_steps=7", "solver.schedule=cosine"];

#[test]
fn killed_again_and_again_it_comes_to_the_same_bits() {
    assert_comes_to_the_same("data.val=val");
}

/// The images set aside depend only on the run's seed and fraction.
#[test]
fn killed_again_and_again_it_has_the_same_images_set_aside() {
    assert_comes_to_the_same("data.val={ fraction = 0.25 }");
}

/// Compares a run with `val` that is killed at random moments with an uninterrupted one.
fn assert_comes_to_the_same(val: &str) {
    let given = Given::new(20, VALIDATION);
    let whole = given.path("whole");
    run(&given, &[&SETS[..], &["run.out=whole", val]].concat()).expect(0);
    let steps = steps_so_far(&whole);
    let killed = given.path("killed");
    let sets = [&SETS[..], &["run.out=killed", val]].concat();
    let mut random = Philox::new(11, Purpose::Crop, 0, 0);
    let mut kills = 0;
    for _ in 0..8 {
        let before = steps_so_far(&killed);
        if before >= steps {
            break;
        }
        let mut process = start(&given, true, &sets);
        // At a random remaining step, then after a short pause that may end in the step, a checkpoint or an evaluation.
        let at = before + 1 + random.below((steps - before).div_ceil(4) as u32) as usize;
        process.until_or_ended(|| steps_so_far(&killed) >= at);
        thread::sleep(Duration::from_micros(u64::from(random.below(4000))));
        process.signal(libc::SIGKILL);
        let ended = process.wait();
        kills += usize::from(ended.signal == Some(libc::SIGKILL));
        assert!(ended.signal.is_some() || ended.code == Some(0), "{ended:#?}");
    }
    assert!(kills >= 3, "only {kills} of the attempts were long enough to be killed");
    resume(&given, &sets).expect(0);
    assert_eq!(result(&killed), result(&whole));
    assert_seamless(&killed, result(&whole).step);
    assert_seamless(&whole, result(&whole).step);
}
