//! A channel distinguishes its end from a loss, has an exact capacity, and neither loses nor duplicates an item.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use pipeline::flow::channel;
use pipeline::flow::fault::{DownstreamGone, UpstreamLost};

fn room(capacity: usize) -> NonZeroUsize {
    NonZeroUsize::new(capacity).expect("a capacity above 0")
}

/// Long enough for an unblocked thread to continue.
fn a_moment() {
    thread::sleep(Duration::from_millis(50));
}

#[test]
fn the_end_comes_only_after_every_outlet_has_finished() {
    let (first, inlet) = channel::<u32>("ticket", room(4));
    let second = first.clone();
    second.send(1).expect("room");
    first.finish();
    assert_eq!(inlet.next(), Ok(Some(1)));
    let ended = Arc::new(AtomicUsize::new(0));
    let taker = thread::spawn({
        let ended = Arc::clone(&ended);
        move || {
            let last = inlet.next();
            ended.store(1, SeqCst);
            last
        }
    });
    a_moment();
    assert_eq!(ended.load(SeqCst), 0, "an outlet is still open");
    second.finish();
    assert_eq!(taker.join().expect("no panic"), Ok(None));
}

#[test]
fn an_outlet_that_is_dropped_is_a_loss_after_what_it_had_sent() {
    let (outlet, inlet) = channel("ticket", room(4));
    outlet.send(1).expect("room");
    drop(outlet);
    assert_eq!(inlet.next(), Ok(Some(1)));
    assert_eq!(inlet.next(), Err(UpstreamLost { channel: "ticket" }));
    assert_eq!(inlet.ready(), Err(UpstreamLost { channel: "ticket" }));
}

#[test]
fn one_loss_among_many_finished_outlets_is_a_loss() {
    let (outlet, inlet) = channel::<u32>("pixels", room(1));
    let (lost, other) = (outlet.clone(), outlet.clone());
    outlet.finish();
    drop(lost);
    other.finish();
    assert_eq!(inlet.next(), Err(UpstreamLost { channel: "pixels" }));
}

/// The other workers may be waiting for an item that the lost one held, so nobody may wait for them in turn.
#[test]
fn a_loss_wakes_whoever_waits_while_other_outlets_live() {
    let (outlet, inlet) = channel::<u32>("pixels", room(1));
    let lost = outlet.clone();
    let takers: Vec<_> = (0..3)
        .map(|_| {
            let inlet = inlet.clone();
            thread::spawn(move || inlet.next())
        })
        .collect();
    a_moment();
    drop(lost);
    for taker in takers {
        assert_eq!(taker.join().expect("no panic"), Err(UpstreamLost { channel: "pixels" }));
    }
    outlet.finish();
}

#[test]
fn a_hop_that_nobody_takes_from_refuses_at_once_and_wakes_who_waits() {
    let (outlet, inlet) = channel("receipt", room(1));
    outlet.send(1).expect("room");
    let sender = thread::spawn(move || (outlet.send(2), outlet.send(3)));
    a_moment();
    drop(inlet);
    let gone = Err(DownstreamGone { channel: "receipt" });
    assert_eq!(sender.join().expect("no panic"), (gone, gone));
}

/// made − taken ≤ capacity + one in each hand. The bound is reached, also each time after the channel was half empty.
#[test]
fn the_capacity_is_exact() {
    for capacity in [1, 2, 7] {
        let (outlet, inlet) = channel("pixels", room(capacity));
        let made = Arc::new(AtomicUsize::new(0));
        let sender = thread::spawn({
            let made = Arc::clone(&made);
            move || {
                for item in 0..50 {
                    made.fetch_add(1, SeqCst);
                    outlet.send(item).expect("the inlet lives");
                }
                outlet.finish();
            }
        });
        let mut taken = 0;
        while taken < 50 {
            let most = (taken + capacity + 1).min(50);
            while made.load(SeqCst) < most {
                thread::yield_now();
            }
            if taken == 0 {
                a_moment();
            }
            assert_eq!(made.load(SeqCst), most, "capacity {capacity}, {taken} taken");
            // Down to half: taking one item fewer would wake nobody.
            for _ in 0..(capacity - capacity / 2).min(50 - taken) {
                assert!(made.load(SeqCst) <= (taken + capacity + 1).min(50));
                assert_eq!(inlet.next(), Ok(Some(taken)));
                taken += 1;
            }
        }
        assert_eq!(inlet.next(), Ok(None));
        sender.join().expect("no panic");
    }
}

#[test]
fn many_to_many_loses_and_doubles_nothing() {
    const EACH: usize = 5000;
    for capacity in [1, 3, 64] {
        let (outlet, inlet) = channel("ticket", room(capacity));
        let senders: Vec<_> = (0..4)
            .map(|sender| {
                let outlet = outlet.clone();
                thread::spawn(move || {
                    for i in 0..EACH {
                        outlet.send(sender * EACH + i).expect("the inlets live");
                    }
                    outlet.finish();
                })
            })
            .collect();
        let takers: Vec<_> = (0..3)
            .map(|_| {
                let inlet = inlet.clone();
                thread::spawn(move || {
                    let mut own = Vec::new();
                    while let Some(item) = inlet.next().expect("no loss") {
                        own.push(item);
                    }
                    own
                })
            })
            .collect();
        outlet.finish();
        senders.into_iter().for_each(|sender| sender.join().expect("no panic"));
        let mut all: Vec<usize> = takers
            .into_iter()
            .flat_map(|taker| taker.join().expect("no panic"))
            .collect();
        all.sort_unstable();
        assert!(all.iter().copied().eq(0..4 * EACH), "{} items came through", all.len());
        let gauge = inlet.gauge();
        assert_eq!(
            (gauge.sent(), gauge.received(), gauge.capacity),
            (4 * EACH as u64, 4 * EACH as u64, capacity)
        );
    }
}
