//! source of a pack: samples in the order of their positions.
//! upstream: records returned by write · downstream: decode
//!
//! Invariant: a ticket is issued only with its record in hand, and tickets are sent in order. So the oldest unwritten position
//! always has one of the N records, and its holder can finish without waiting for another ticket. At most N − 1 records wait
//! in write for their turn.

use std::sync::Arc;

use crate::dataset::pack::Record;
use crate::dataset::{Dataset, Encoded};
use crate::flow::{Fault, Inlet, Outlet, Stop};
use crate::stages::decode::Request;
use crate::stages::frame::{Frame, Region};
use crate::stages::messages::Phase;
use crate::stages::rule::Rule;

/// A request for the whole frame of a sample, and the record that it becomes.
pub struct PackTicket {
    /// Has position and sample. Its buffer gets the file's bytes if the pack keeps files as they are.
    pub record: Record,
    /// Whether the file is kept as it is.
    pub keep_file: bool,
}

impl Request for PackTicket {
    fn phase(&self) -> Phase {
        Phase::Train
    }
    fn sample(&self) -> u32 {
        self.record.sample
    }
    fn region(&self, _: &Rule, _: u32, frame: Frame) -> Region {
        Region::whole(frame)
    }
    fn see(&mut self, encoded: Encoded<'_>) {
        self.record.bytes.clear();
        if self.keep_file
            && let Encoded::File(bytes) = encoded
        {
            self.record.bytes.extend_from_slice(bytes);
        }
    }
}

/// The settings of a pack's source.
pub struct Dealer {
    /// The samples.
    pub data: Arc<Dataset>,
    /// The sample at each position.
    pub order: Vec<u32>,
    /// The first position to be made.
    pub start: u32,
    /// Whether files are kept as they are.
    pub keep_files: bool,
}

/// Issues a ticket for each position, as records return. Ends early if a stop is requested: the records in flight are written.
pub fn run(dealer: &Dealer, home: &Inlet<Record>, tickets: Outlet<PackTicket>, stop: &Stop) -> Result<(), Fault> {
    for (position, &sample) in dealer.order.iter().enumerate().skip(dealer.start as usize) {
        let Some(mut record) = home.next()? else {
            return Err(Fault::Aborted);
        };
        if stop.is_requested() {
            break;
        }
        dealer.data.prefetch(sample as usize);
        (record.position, record.sample) = (position as u32, sample);
        tickets.send(PackTicket {
            record,
            keep_file: dealer.keep_files,
        })?;
    }
    tickets.finish();
    Ok(())
}
