//! A rank that ends or panics ends the others too: they get an error at once, and none waits for ever.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use pipeline::devices::{Communicator, PeerLost};

use crate::communicator::communicators;

/// Runs `last` on the last of `ranks` ranks while the others reduce for ever; returns how the others ended.
fn with_last(
    ranks: usize,
    last: impl FnOnce(pipeline::devices::cpu::CpuCommunicator) + Send,
) -> Vec<Result<(), PeerLost>> {
    let mut ends = communicators(ranks, 1);
    let lost = ends.pop().unwrap();
    let (tx, rx) = channel();
    thread::scope(|scope| {
        for mut communicator in ends {
            let tx = tx.clone();
            scope.spawn(move || {
                let mut buffer = vec![1.0; 100_000];
                let end = loop {
                    if let Err(lost) = communicator.all_reduce(&mut [&mut buffer[..]]) {
                        break Err(lost);
                    }
                };
                tx.send(end).unwrap();
            });
        }
        scope.spawn(move || last(lost));
        (1..ranks)
            .map(|_| match rx.recv_timeout(Duration::from_secs(20)) {
                Ok(end) => end,
                Err(RecvTimeoutError::Timeout) => {
                    // The scope would wait for the threads that hang.
                    eprintln!("a rank waits for one that is gone");
                    std::process::abort();
                }
                Err(RecvTimeoutError::Disconnected) => panic!("a rank has ended without a word"),
            })
            .collect()
    })
}

#[test]
fn a_rank_that_never_comes_fails_the_others() {
    for ranks in 2..=4 {
        assert!(with_last(ranks, drop).iter().all(|end| *end == Err(PeerLost)));
    }
}

#[test]
fn a_rank_that_leaves_after_some_rounds_fails_the_others() {
    for ranks in 2..=4 {
        let ends = with_last(ranks, |mut communicator| {
            let mut buffer = vec![1.0; 100_000];
            for _ in 0..5 {
                communicator.all_reduce(&mut [&mut buffer[..]]).unwrap();
            }
        });
        assert!(ends.iter().all(|end| *end == Err(PeerLost)));
    }
}

#[test]
fn a_rank_that_panics_between_rounds_fails_the_others() {
    let ends = with_last(3, |mut communicator| {
        let panicked = catch_unwind(AssertUnwindSafe(move || {
            communicator.all_gather(&mut [&mut vec![1.0; 100_000][..]]).unwrap();
            communicator.reduce_scatter(&mut [&mut vec![1.0; 100_000][..]]).unwrap();
            assert_eq!(communicator.ranks(), 0, "it breaks");
        }));
        assert!(panicked.is_err());
    });
    assert!(ends.iter().all(|end| *end == Err(PeerLost)));
}

/// Buffers of different lengths are a bug. Every rank detects it, and none frees its memory while another may read it.
#[test]
fn ranks_that_disagree_panic_together() {
    let panicked: Vec<bool> = thread::scope(|scope| {
        let ends: Vec<_> = communicators(2, 1)
            .into_iter()
            .map(|mut communicator| {
                scope.spawn(move || {
                    let mut buffer = vec![1.0; 10 + communicator.rank()];
                    let end = catch_unwind(AssertUnwindSafe(|| communicator.all_reduce(&mut [&mut buffer[..]])));
                    end.is_err()
                })
            })
            .collect();
        ends.into_iter().map(|end| end.join().unwrap()).collect()
    });
    assert_eq!(panicked, [true, true]);
}
