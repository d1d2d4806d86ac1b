//! How much a pack holds in memory at most, and that this bound suffices for any order of completion.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use pipeline::dataset::Dataset;
use pipeline::dataset::pack::{Begun, Frames, Mode, Origin, PackWriter, Record, Settings};
use pipeline::flow::{Stop, channel};
use pipeline::stages::pack_source::{self, Dealer};
use pipeline::stages::write::{self, Write};

use crate::assert_same;
use crate::given::Given;

const ROOM: NonZeroUsize = NonZeroUsize::MIN.saturating_add(99);

fn open(given: &Given) -> Arc<Dataset> {
    Arc::new(Dataset::open(given.path("train").to_str().unwrap()).unwrap())
}

#[test]
fn as_many_tickets_are_out_as_there_are_records_and_not_one_more() {
    let given = Given::new(10, 1);
    let dealer = Dealer {
        data: open(&given),
        order: (0..30).collect(),
        start: 4,
        keep_files: false,
    };
    let (home, records) = channel("home", ROOM);
    let (tickets, issued) = channel("ticket", ROOM);
    let gauge = tickets.gauge();
    for _ in 0..3 {
        home.send(Record::default()).unwrap();
    }
    let running = thread::spawn(move || pack_source::run(&dealer, &records, tickets, &Stop::default()));
    let settles_at = |count: u64| {
        while gauge.sent() < count {
            thread::yield_now();
        }
        thread::sleep(Duration::from_millis(50));
        assert_eq!(gauge.sent(), count);
    };
    settles_at(3);
    let first = issued.next().unwrap().unwrap();
    assert_eq!((first.record.position, first.record.sample), (4, 4));
    home.send(first.record).unwrap();
    settles_at(4);
    let mut positions = Vec::new();
    while let Some(ticket) = issued.next().unwrap() {
        positions.push(ticket.record.position);
        // The source may have ended.
        let _ = home.send(ticket.record);
    }
    assert_eq!(positions, (5..30).collect::<Vec<_>>());
    running.join().unwrap().unwrap();
}

/// Writes all samples; in each window of `window` positions the last comes first.
fn write_in_windows(given: &Given, out: &str, window: u32) {
    let data = open(given);
    let count = data.len() as u32;
    let frames = Frames {
        shorter_side: None,
        square: false,
        exif: true,
    };
    let source = Origin {
        location: "train".to_owned(),
        fingerprint: String::new(),
        samples: count,
    };
    let mut settings = Settings::new("train".to_owned(), Mode::Raw, frames, source);
    settings.per_shard = 7;
    let Begun::Under(writer) = PackWriter::begin(&given.path(out), data, settings, false).unwrap() else {
        panic!("there is nothing yet")
    };
    let (records, records_in) = channel("record", ROOM);
    let (home, came_home) = channel("home", ROOM);
    let (spare, _pool) = channel("buffer", ROOM);
    for first in (0..count).step_by(window as usize) {
        for position in (first..count.min(first + window)).rev() {
            let mut record = Record {
                position,
                sample: position,
                bytes: vec![position as u8; 100],
                extension: "ppm",
                frame: (2, 2),
                pixels: vec![position as u8; 12],
                ..Record::default()
            };
            record.moments.add(&[position as u8; 12]);
            records.send(record).unwrap();
        }
    }
    records.finish();
    let write = Write {
        writer: *writer,
        bad_images_max: None,
        records: window as usize,
        on_written: Arc::new(|_| {}),
    };
    write::run(write, &records_in, home, spare).unwrap();
    let mut positions = Vec::new();
    while let Some(record) = came_home.next().unwrap() {
        positions.push(record.position);
    }
    assert_eq!(positions, (0..count).collect::<Vec<_>>());
}

#[test]
fn records_that_come_in_the_worst_order_are_written_in_order() {
    let given = Given::new(10, 1);
    write_in_windows(&given, "ordered", 1);
    for (out, window) in [("pairs", 2), ("elevens", 11), ("all", 30)] {
        write_in_windows(&given, out, window);
        assert_same(&given.path("ordered"), &given.path(out));
    }
}
