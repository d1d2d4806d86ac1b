//! The exact worst case of samples in flight: a device that never takes a batch.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use pipeline::flow::{ChannelGauge, Stop, Worker};
use pipeline::stages::messages::Receipts;
use pipeline::topology::{self, Topology};

use crate::given::{self, Given};

/// Starts the stages before compute in groups, each stage with one active worker. A group is started when the previous one has
/// come to rest, with the `expected` number of tickets issued. Returns the number of tickets issued after each group.
fn tickets_issued(given: &Given, sets: &[&str], expected: &[(&[&str], u64)]) -> Vec<u64> {
    let plan = given.plan(sets);
    let stop = Stop::default();
    let topology = topology::training(&plan, given::beginning(&plan), &stop, |_| Ok(()));
    let Ok(Topology {
        mut stages, channels, ..
    }) = topology
    else {
        panic!("no table for a layer is given")
    };
    let tickets: Arc<ChannelGauge> = channels
        .iter()
        .find(|(_, channel)| channel.name == "ticket")
        .expect("a ticket channel")
        .1
        .clone();
    let (tx, rx) = channel();
    let (mut workers, mut issued) = (Vec::new(), Vec::new());
    for (names, expected) in expected {
        for stage in stages.extract_if(.., |stage| names.contains(&stage.name)) {
            for (index, body) in stage.bodies.into_iter().enumerate() {
                let tx = tx.clone();
                let on_exit = move |exit| tx.send((stage.name, exit)).expect("the test listens");
                workers.push(Worker::spawn(stage.name, index, body, on_exit).expect("a thread"));
            }
        }
        let start = Instant::now();
        while tickets.sent() < *expected && start.elapsed() < Duration::from_secs(20) {
            thread::sleep(Duration::from_millis(5));
        }
        // Any worker that could continue would do so now.
        thread::sleep(Duration::from_millis(150));
        issued.push(tickets.sent());
    }
    // The device's half of the flow existed but was never run.
    drop(stages);
    for _ in 0..workers.len() {
        let (stage, exit) = rx
            .recv_timeout(Duration::from_secs(20))
            .expect("the loss of compute ends every stage");
        assert_eq!(exit.severity(), 1, "{stage}: {exit}");
    }
    workers.into_iter().for_each(Worker::join);
    issued
}

/// All stages of the input.
const INPUT: [&str; 4] = ["source", "decode", "augment", "staging"];

/// If the queues have room, the slots are the bound: a ticket is issued only once its row is reserved.
#[test]
fn tickets_issued_are_slots_times_batch() {
    let given = Given::new(8, 1);
    for (slots, batch) in [(1, 1), (1, 5), (2, 4), (3, 8), (4, 6)] {
        let sets = [
            "run.epochs=50".to_string(),
            format!("staging.slots={slots}"),
            format!("staging.batch={batch}"),
        ];
        let expected = slots * batch;
        assert_eq!(
            tickets_issued(&given, &sets.each_ref().map(String::as_str), &[(&INPUT, expected)]),
            [expected],
            "{slots} slots of {batch}"
        );
    }
}

/// If they have not, the queues are. With one worker per stage, at most this many tickets are out when the device takes no
/// batch:
///
/// - in staging's hand and in compute's queue, of C places: the rows of C + 1 batches, and those that came in the same group
///   of receipts as the last of them: G · ⌈(C + 1) · batch / G⌉, where a group has G receipts at most;
/// - a whole group in each place of staging's queue and one in augment's hand: G · (queue + 1);
/// - an item in each place of augment's queue, one in decode's hand, one in each place of decode's queue.
///
/// Groups are full if augment never waits for pixels. So augment is started when the items that it will take are already in its
/// queue, which has twice as many places: when it has taken half of them, decode wakes up and fills the queue again.
#[test]
fn small_queues_bound_what_is_in_flight_before_the_slots_do() {
    const GROUP: u64 = Receipts::MOST as u64;
    let given = Given::new(8, 1);
    for (slots, batch, receipts, batches, tickets) in
        [(60u64, 6u64, 1u64, 1u64, 1u64), (80, 4, 2, 1, 2), (60, 8, 2, 2, 1)]
    {
        let written = GROUP * ((batches + 1) * batch).div_ceil(GROUP) + GROUP * (receipts + 1);
        let pixels = 2 * written;
        let decoded = pixels + 1 + tickets;
        let most = written + decoded;
        assert!(most < slots * batch, "the slots must not be the bound here");
        let sets = [
            "run.epochs=50".to_string(),
            "evaluate.every_epochs=50".to_string(),
            "decode.workers=1".to_string(),
            "augment.workers=1".to_string(),
            format!("staging.slots={slots}"),
            format!("staging.batch={batch}"),
            format!("decode.queue={tickets}"),
            format!("augment.queue={pixels}"),
            format!("staging.queue={receipts}"),
            format!("compute.queue={batches}"),
        ];
        let (first, then) = INPUT.split_at(2);
        let issued = tickets_issued(
            &given,
            &sets.each_ref().map(String::as_str),
            &[(first, decoded), (then, most)],
        );
        assert_eq!(issued, [decoded, most], "{slots} slots of {batch}");
    }
}
