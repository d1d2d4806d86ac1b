//! A rank that ends or panics takes the others with it: they get an error at once, and none waits for ever.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use pipeline::devices::{Exchange, PeerLost};

use crate::exchange::exchanges;

/// Runs `last` for the last of `ranks` ranks, while the others reduce for ever; gives what these came to.
fn with_last(ranks: usize, last: impl FnOnce(pipeline::devices::cpu::CpuExchange) + Send) -> Vec<Result<(), PeerLost>> {
    let mut ends = exchanges(ranks, 1);
    let lost = ends.pop().unwrap();
    let (said, heard) = channel();
    thread::scope(|scope| {
        for mut exchange in ends {
            let said = said.clone();
            scope.spawn(move || {
                let mut buffer = vec![1.0; 100_000];
                let end = loop {
                    if let Err(lost) = exchange.all_reduce(&mut [&mut buffer[..]]) {
                        break Err(lost);
                    }
                };
                said.send(end).unwrap();
            });
        }
        scope.spawn(move || last(lost));
        (1..ranks)
            .map(|_| match heard.recv_timeout(Duration::from_secs(20)) {
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
        let ends = with_last(ranks, |mut exchange| {
            let mut buffer = vec![1.0; 100_000];
            for _ in 0..5 {
                exchange.all_reduce(&mut [&mut buffer[..]]).unwrap();
            }
        });
        assert!(ends.iter().all(|end| *end == Err(PeerLost)));
    }
}

#[test]
fn a_rank_that_panics_between_rounds_fails_the_others() {
    let ends = with_last(3, |mut exchange| {
        let panicked = catch_unwind(AssertUnwindSafe(move || {
            exchange.all_gather(&mut [&mut vec![1.0; 100_000][..]]).unwrap();
            exchange.reduce_scatter(&mut [&mut vec![1.0; 100_000][..]]).unwrap();
            assert_eq!(exchange.ranks(), 0, "it breaks");
        }));
        assert!(panicked.is_err());
    });
    assert!(ends.iter().all(|end| *end == Err(PeerLost)));
}

/// Buffers of other lengths are a fault of the program. Every rank sees it, and none goes away with its memory before.
#[test]
fn ranks_that_disagree_panic_together() {
    let panicked: Vec<bool> = thread::scope(|scope| {
        let ends: Vec<_> = exchanges(2, 1)
            .into_iter()
            .map(|mut exchange| {
                scope.spawn(move || {
                    let mut buffer = vec![1.0; 10 + exchange.rank()];
                    let end = catch_unwind(AssertUnwindSafe(|| exchange.all_reduce(&mut [&mut buffer[..]])));
                    end.is_err()
                })
            })
            .collect();
        ends.into_iter().map(|end| end.join().unwrap()).collect()
    });
    assert_eq!(panicked, [true, true]);
}
