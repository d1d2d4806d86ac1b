//! A run that is killed at random moments comes to the same bits as one that is not.

use std::thread;
use std::time::Duration;

use pipeline::rng::{Philox, Purpose};

use crate::given::Given;
use crate::process::{assert_seamless, result, resume, run, start};

const SETS: [&str; 4] = [
    "run.epochs=30",
    "checkpoint.every_steps=7",
    "solver.schedule=cosine",
    "data.val=val",
];

#[test]
fn killed_again_and_again_it_comes_to_the_same_bits() {
    let given = Given::new(20, 4);
    let whole = given.path("whole");
    run(&given, &[&SETS[..], &["run.out=whole"]].concat()).expect(0);
    let killed = given.path("killed");
    let sets = [&SETS[..], &["run.out=killed"]].concat();
    let mut kills = 0;
    for attempt in 0..8 {
        let process = start(&given, true, &sets);
        let mut random = Philox::new(11, Purpose::Crop, 0, attempt);
        thread::sleep(Duration::from_millis(u64::from(20 + random.below(200))));
        process.signal(libc::SIGKILL);
        let ended = process.wait();
        kills += usize::from(ended.signal == Some(libc::SIGKILL));
        assert!(ended.signal.is_some() || ended.code == Some(0), "{ended:#?}");
    }
    assert!(kills > 0, "no attempt was long enough to be killed");
    resume(&given, &sets).expect(0);
    assert_eq!(result(&killed), result(&whole));
    assert_seamless(&killed, result(&whole).step);
    assert_seamless(&whole, result(&whole).step);
}
