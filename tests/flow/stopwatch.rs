//! A stopwatch counts a wait while it lasts, exactly as much as after its end.

use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use pipeline::flow::{Stopwatch, channel};

const MOMENT: Duration = Duration::from_millis(60);

#[test]
fn a_wait_in_progress_counts() {
    let (watch, leave) = (Arc::new(Stopwatch::default()), Arc::new(Barrier::new(4)));
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let (watch, leave) = (Arc::clone(&watch), Arc::clone(&leave));
            thread::spawn(move || {
                let inside = watch.enter();
                leave.wait();
                drop(inside);
            })
        })
        .collect();
    let start = Instant::now();
    while watch.inside() < 3 {
        assert!(start.elapsed() < Duration::from_secs(10));
        thread::yield_now();
    }
    let all_in = Instant::now();
    let (now, later) = (watch.total(all_in), watch.total(all_in + MOMENT));
    let between = later.checked_sub(now).expect("time passes");
    assert!(between.abs_diff(3 * MOMENT) < Duration::from_micros(10), "{between:?}");
    thread::sleep(MOMENT);
    leave.wait();
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
    assert_eq!(watch.inside(), 0);
    let total = watch.total(Instant::now());
    assert!(total >= 3 * MOMENT, "{total:?}");
    assert_eq!(watch.total(Instant::now() + MOMENT), total, "nobody is inside any more");
}

#[test]
fn before_it_was_entered_it_shows_nothing() {
    let watch = Stopwatch::default();
    let before = Instant::now();
    thread::sleep(Duration::from_millis(2));
    let _inside = watch.enter();
    assert_eq!(watch.total(before), Duration::ZERO);
}

/// Like a run that waits for a file that never answers.
#[test]
fn a_blocked_receiver_and_a_blocked_sender_are_seen_while_they_wait() {
    let (outlet, inlet) = channel::<u32>("ticket", std::num::NonZeroUsize::MIN);
    let gauge = outlet.gauge();
    let taker = thread::spawn(move || (inlet.next(), inlet));
    let start = Instant::now();
    while gauge.item_wait() < MOMENT {
        assert!(start.elapsed() < Duration::from_secs(10), "the wait is not seen");
        thread::yield_now();
    }
    outlet.send(1).expect("room");
    let (item, inlet) = taker.join().expect("no panic");
    assert_eq!(item, Ok(Some(1)));
    outlet.send(2).expect("room");
    let apart = outlet.apart();
    let sender = thread::spawn(move || outlet.send(3).map(|()| outlet));
    while gauge.room_wait() < MOMENT {
        assert!(start.elapsed() < Duration::from_secs(20), "the wait is not seen");
        thread::yield_now();
    }
    assert_eq!(apart.waits().total(Instant::now()), Duration::ZERO, "another stage's");
    assert_eq!(inlet.next(), Ok(Some(2)));
    drop(sender.join().expect("no panic"));
}
