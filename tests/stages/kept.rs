//! A checkpoint appears only after the events before it are stored.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pipeline::control::{self, Ending, Watch};
use pipeline::flow::{Fault, Stop};
use pipeline::model::checkpoint;
use pipeline::stages::compute::{Report, Reports};
use pipeline::topology;

use crate::given::{self, Given};

/// Runs a flow to its end; `listen` is its listener and is given the folder of the checkpoints.
fn run(
    sets: &[&str],
    listen: impl FnOnce(Reports, &std::path::Path) -> Result<(), Fault> + Send + 'static,
) -> (Given, Ending) {
    let given = Given::new(20, 2);
    let plan = given.plan(sets);
    let folder = plan.config.run.out.join("checkpoints");
    let stop = Stop::default();
    let listen = move |reports| listen(reports, &folder);
    let topology = topology::training(&plan, given::beginning(&plan), &stop, listen).expect("the layers exist");
    let ending = control::supervise(topology, &stop, Watch::silent(Duration::from_mins(1)));
    (given, ending)
}

fn newest(folder: &std::path::Path) -> Option<u64> {
    checkpoint::list(folder)
        .expect("the folder")
        .last()
        .map(|(step, _)| *step)
}

#[test]
fn no_checkpoint_is_seen_before_its_events_are_kept() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let note = Arc::clone(&seen);
    let (given, ending) = run(&["checkpoint.every_steps=3"], move |reports, folder| {
        let (mut told, mut kept) = (0, None);
        while let Some(report) = reports.next()? {
            match report {
                Report::Step { step, .. } => told = step,
                Report::Saving { step } => {
                    assert_eq!(step, told, "every step before it was reported, and none after");
                    // Many times as long as writing it would take.
                    std::thread::sleep(Duration::from_millis(100));
                    note.lock().expect("no panic").push((kept, newest(folder)));
                    kept = Some(step);
                    reports.keep(step)?;
                }
                _ => {}
            }
        }
        reports.finish();
        Ok(())
    });
    assert!(matches!(ending, Ending::Finished), "{ending:?}");
    let seen = seen.lock().expect("no panic");
    assert!(seen.len() > 3, "{seen:?}");
    assert!(seen.iter().all(|(kept, newest)| newest <= kept), "{seen:?}");
    assert!(newest(&given.path("run/checkpoints")) >= seen.last().expect("some").0);
}

#[test]
fn a_listener_that_cannot_keep_an_event_leaves_no_checkpoint_after_it() {
    let reached = Arc::new(AtomicU64::new(0));
    let at = Arc::clone(&reached);
    let (given, ending) = run(&["checkpoint.every_steps=2", "run.epochs=20"], move |reports, _| {
        let mut saved = 0;
        while let Some(report) = reports.next()? {
            let Report::Saving { step } = report else { continue };
            saved += 1;
            if saved == 3 {
                at.store(step, Ordering::SeqCst);
                return Err(Fault::failed("metrics.jsonl: no space left"));
            }
            reports.keep(step)?;
        }
        Ok(())
    });
    let Ending::Faulted { stage: "record", exit } = ending else {
        panic!("{ending:?}")
    };
    assert_eq!(exit.to_string(), "metrics.jsonl: no space left");
    let folder = given.path("run/checkpoints");
    assert!(
        newest(&folder) < Some(reached.load(Ordering::SeqCst)),
        "{:?}",
        newest(&folder)
    );
    let names: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder")
        .flatten()
        .map(|e| e.file_name())
        .collect();
    assert!(
        names.iter().all(|name| !name.to_string_lossy().ends_with(".tmp")),
        "{names:?}"
    );
}
