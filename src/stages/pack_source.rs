//! source of a pack: samples in the order of their positions.
//! upstream: records that write is done with · downstream: decode
//!
//! Invariant: a ticket is issued only with its record in hand, and tickets leave in order. So of N records the oldest position
//! that is not written yet always has one, whoever holds it can run to its end without waiting for another ticket, and what
//! waits in write to be put into order is never more than N − 1 records.

use std::sync::Arc;

use crate::dataset::pack::Record;
use crate::dataset::{Dataset, Encoded};
use crate::flow::{Fault, Inlet, Outlet, Stop};
use crate::stages::decode::Request;
use crate::stages::frame::{Frame, Region};
use crate::stages::messages::Phase;
use crate::stages::rule::Rule;

/// A sample of which the whole frame is wanted, and the record that it will become.
pub struct PackTicket {
    /// Names position and sample; its buffer gets the file's bytes where these are passed through.
    pub record: Record,
    /// Whether the file is to be kept as it is.
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

/// What the source of a pack works through.
pub struct Dealer {
    /// The samples.
    pub data: Arc<Dataset>,
    /// The sample at each position.
    pub order: Vec<u32>,
    /// The first position that is to be made.
    pub start: u32,
    /// Whether files are to be kept as they are.
    pub keep_files: bool,
}

/// Issues a ticket for each position, as records come home. A wish to stop ends it early: what is under way is written.
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
