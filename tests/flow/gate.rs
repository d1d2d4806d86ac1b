//! A gate parks the workers beyond its limit and opens for good when one of them ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use pipeline::flow::Gate;

const LIMIT: Duration = Duration::from_secs(30);

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < LIMIT, "{what}");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn only_the_first_so_many_pass_and_the_end_of_one_lets_all_pass() {
    let gate = Gate::new(4, 1);
    let passed = Arc::new(AtomicUsize::new(0));
    let mut first = Some(gate.entrance(0));
    let threads: Vec<_> = (1..4)
        .map(|index| {
            let (entrance, passed) = (gate.entrance(index), Arc::clone(&passed));
            thread::spawn(move || {
                entrance.pass();
                passed.fetch_add(1, SeqCst);
                entrance
            })
        })
        .collect();
    first.as_ref().expect("alive").pass();
    thread::sleep(Duration::from_millis(30));
    assert_eq!(passed.load(SeqCst), 0);
    gate.set_open(0);
    assert_eq!(gate.open(), 1, "one is never parked");
    gate.set_open(3);
    until("two more pass", || passed.load(SeqCst) == 2);
    assert!(
        gate.parked(Instant::now()) >= Duration::from_millis(30),
        "that of the parked one counts too"
    );
    drop(first.take());
    until("all pass", || passed.load(SeqCst) == 3);
    gate.set_open(1);
    assert_eq!(gate.open(), 4, "it is open for good");
    threads
        .into_iter()
        .for_each(|thread| drop(thread.join().expect("no panic")));
}
