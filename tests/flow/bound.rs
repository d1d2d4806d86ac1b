//! The exact worst case of what is in flight: a device that never takes a batch.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use pipeline::flow::{HopGauge, Stop, Worker};
use pipeline::stages::passage::Receipts;
use pipeline::topology::{self, Topology};

use crate::given::{self, Given};

/// Starts every stage before compute, each with one worker that takes part, and waits until nothing moves any more; gives the tickets that
/// were issued by then.
fn tickets_issued(given: &Given, sets: &[&str], expected: u64) -> u64 {
    let plan = given.plan(sets);
    let stop = Stop::default();
    let topology = topology::training(&plan, given::beginning(&plan), &stop, |_| Ok(()));
    let Ok(Topology { mut stages, hops, .. }) = topology else {
        panic!("no table for a layer is given")
    };
    let tickets: Arc<HopGauge> = hops
        .iter()
        .find(|(_, hop)| hop.name == "ticket")
        .expect("a ticket hop")
        .1
        .clone();
    // The device's half of the flow lives, but nobody runs it.
    let device = stages.split_off(
        stages
            .iter()
            .position(|stage| stage.name == "compute")
            .expect("a compute stage"),
    );
    let (said, heard) = channel();
    let mut workers = Vec::new();
    for stage in stages {
        for (index, body) in stage.bodies.into_iter().enumerate() {
            let said = said.clone();
            let on_exit = move |exit| said.send((stage.name, exit)).expect("the test listens");
            workers.push(Worker::spawn(stage.name, index, body, on_exit).expect("a thread"));
        }
    }
    let start = Instant::now();
    while tickets.sent() < expected && start.elapsed() < Duration::from_secs(20) {
        thread::sleep(Duration::from_millis(5));
    }
    // Whoever could go further would do so now.
    thread::sleep(Duration::from_millis(150));
    let issued = tickets.sent();
    drop(device);
    for _ in 0..workers.len() {
        let (stage, exit) = heard
            .recv_timeout(Duration::from_secs(20))
            .expect("the loss of compute ends every stage");
        assert_eq!(exit.rank(), 1, "{stage}: {exit}");
    }
    workers.into_iter().for_each(Worker::join);
    issued
}

fn sets(slots: u64, batch: u64, queue: u64) -> Vec<String> {
    vec![
        "run.epochs=50".to_string(),
        format!("staging.slots={slots}"),
        format!("staging.batch={batch}"),
        format!("decode.queue={queue}"),
        format!("augment.queue={queue}"),
        format!("staging.queue={queue}"),
    ]
}

/// Where the queues have room, the slots are the bound: a ticket is issued only with its row in hand.
#[test]
fn tickets_issued_are_slots_times_batch() {
    let given = Given::new(8, 1);
    for (slots, batch) in [(1, 1), (1, 5), (2, 4), (3, 8), (4, 6)] {
        let sets = sets(slots, batch, 64);
        let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
        let expected = slots * batch;
        assert_eq!(
            tickets_issued(&given, &sets, expected),
            expected,
            "{slots} slots of {batch}"
        );
    }
}

/// Where they have not, the queues are: whole batches in compute's queue and in staging's hand, then an item in each place
/// of each queue and one in each worker's hand. Receipts travel one to eight together, as it happens.
#[test]
fn small_queues_bound_what_is_in_flight_before_the_slots_do() {
    let given = Given::new(8, 1);
    for (slots, batch, queue) in [(40, 6, 1), (60, 4, 2)] {
        let sets = sets(slots, batch, queue);
        let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
        let whole_batches = 2 * batch;
        let rows = |receipts| whole_batches + receipts * (queue + 2) + queue + 1 + queue;
        let (least, most) = (
            whole_batches + queue + 1 + queue + 1 + queue,
            rows(Receipts::MOST as u64),
        );
        assert!(most < slots * batch, "the slots must not be the bound here");
        let issued = tickets_issued(&given, &sets, least);
        assert!(
            (least..=most).contains(&issued),
            "{issued} tickets, {slots} slots of {batch}, queues of {queue}"
        );
    }
}
