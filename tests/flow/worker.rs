//! A worker always says how it ended.

use std::sync::mpsc::channel;

use pipeline::flow::{Exit, Fault, Worker};

fn exit_of(body: impl FnOnce() -> Result<(), Fault> + Send + 'static) -> Exit {
    let (tx, rx) = channel();
    let worker = Worker::spawn("decode", 3, body, move |exit| {
        tx.send(exit).expect("the test listens");
    })
    .expect("a thread");
    let exit = rx.recv().expect("it says how it ended");
    worker.join();
    exit
}

#[test]
fn its_thread_bears_the_name_of_its_stage() {
    let exit = exit_of(|| {
        let name = std::thread::current().name().map(ToString::to_string);
        Err(Fault::failed(name.unwrap_or_default()))
    });
    assert_eq!(exit.to_string(), "decode-3");
}

#[test]
fn a_panic_is_caught_with_message_and_place() {
    let row = 7;
    let exit = exit_of(move || panic!("row {row} is outside"));
    assert!(
        matches!(&exit, Exit::Panicked(text) if text.starts_with("row 7 is outside (at tests/flow/worker.rs:")),
        "{exit}"
    );
}

/// As when an operation panics on a thread of the compute pool.
#[test]
fn a_panic_that_came_over_from_another_thread_keeps_its_message() {
    let exit = exit_of(|| {
        let handle = std::thread::spawn(|| -> Result<(), Fault> {
            std::panic::resume_unwind(Box::new("from the pool".to_string()))
        });
        handle
            .join()
            .unwrap_or_else(|payload| std::panic::resume_unwind(payload))
    });
    assert!(
        matches!(&exit, Exit::Panicked(text) if text == "from the pool"),
        "{exit}"
    );
}

#[test]
fn the_ending_that_explains_the_others_ranks_highest() {
    let upstream = Fault::Upstream(pipeline::flow::fault::UpstreamLost { channel: "pixels" });
    let endings = [
        Exit::Drained,
        Exit::Faulted(upstream),
        Exit::Faulted(Fault::Aborted),
        Exit::Faulted(Fault::failed("disk full")),
        Exit::Panicked("index".to_string()),
    ];
    assert!(endings.windows(2).all(|pair| pair[0].severity() < pair[1].severity()));
}
