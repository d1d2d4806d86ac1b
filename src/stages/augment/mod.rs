//! augment: writes decoded pixels as the rows that the network reads. Crop, reflection, colours and mean in one pass.
//! upstream: decode · downstream: staging

use xxhash_rust::xxh3::Xxh3;

use crate::dataset::Dataset;
use crate::flow::{Fault, Inlet, Outlet, Rows};
use crate::stages::Sets;
use crate::stages::decode::Raw;
use crate::stages::frame::{Frame, Region};
use crate::stages::messages::{Phase, Pixels, Receipt, Receipts, RowFact, Ticket};
use crate::stages::rule::{Draw, Rule};

mod jitter;
mod normalization;

pub use normalization::{Mean, Normalization};

/// The settings of every augment worker.
#[derive(Clone)]
pub struct Augment {
    /// Draws crops, reflections and colours.
    pub rule: Rule,
    /// How pixels become the network's input.
    pub normalization: Normalization,
    /// Training and validation set, for labels and ids.
    pub data: Sets,
    /// Whether the stream hash covers the rows' bytes as well.
    pub hash_pixels: bool,
}

/// Writes rows until the end of data.
pub fn run(
    augment: &Augment,
    pixels: &Inlet<Pixels<Ticket>>,
    receipts: Outlet<Receipts>,
    spare: Outlet<Vec<u8>>,
) -> Result<(), Fault> {
    let mut written = Written {
        receipts: Receipts::default(),
        outlet: receipts,
    };
    // A worker never sleeps with a receipt in hand: it may be the one that completes a batch.
    while let Some(item) = pixels.next_after(|| written.flush())? {
        let buffer = augment.rows(item, &mut written)?;
        // decode may have ended already; then nobody needs the buffer.
        let _ = buffer.map(|buffer| spare.send(buffer));
    }
    written.flush()?;
    written.outlet.finish();
    spare.finish();
    Ok(())
}

/// Receipts that were not sent yet.
struct Written {
    receipts: Receipts,
    outlet: Outlet<Receipts>,
}

impl Written {
    fn push(&mut self, receipt: Receipt) -> Result<(), Fault> {
        self.receipts.push(receipt);
        if self.receipts.is_full() {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Fault> {
        if !self.receipts.is_empty() {
            self.outlet.send(std::mem::take(&mut self.receipts))?;
        }
        Ok(())
    }
}

/// The pixels of a sample that are not decoded, because they are stored as they are needed.
fn in_place(data: &Dataset, sample: usize, frame: Frame) -> Result<Option<&[u8]>, Fault> {
    let raw = Raw::again(data, sample, frame).map_err(Fault::failed)?;
    raw.map(|raw| raw.pixels()).transpose().map_err(Fault::failed)
}

/// The view to write.
struct Request {
    phase: Phase,
    epoch: u32,
    sample: u32,
    view: u8,
}

impl Request {
    /// The first view of a ticket.
    fn of(ticket: &Ticket) -> Self {
        Self {
            phase: ticket.phase,
            epoch: ticket.epoch,
            sample: ticket.sample,
            view: ticket.first_view,
        }
    }
}

/// The pixels of its sample.
struct Source<'a> {
    buffer: &'a [u8],
    frame: Frame,
    region: Region,
    checksum: u64,
}

impl Augment {
    /// Writes a row for each view of a sample, and returns the sample's buffer.
    fn rows(&self, item: Pixels<Ticket>, written: &mut Written) -> Result<Option<Vec<u8>>, Fault> {
        let Pixels {
            ticket,
            buffer,
            frame,
            region,
            checksum,
            refused,
        } = item;
        let (data, sample) = (self.data.of(ticket.phase), ticket.sample as usize);
        let label = data.label(sample);
        let span = tracing::trace_span!("augment", sample = %data.id(sample));
        let _entered = span.enter();
        let is_present = refused.is_none() && !ticket.is_padding;
        let stored = if buffer.is_none() && is_present {
            in_place(data, sample, frame)?
        } else {
            None
        };
        let source = Source {
            buffer: buffer.as_deref().or(stored).unwrap_or_default(),
            frame,
            region,
            checksum,
        };
        let request = Request::of(&ticket);
        let mut left = Some(ticket.rows);
        let mut view = request.view;
        while let Some(rows) = left {
            let (mut row, rest) = rows.split(1);
            let stream = if is_present {
                let request = Request { view, ..request };
                self.write(&request, &source, &mut row)
            } else {
                row.row_mut(0).fill(0);
                0
            };
            if stored.is_some() {
                // Checked before the row is sent: a shard that was truncated meanwhile reads as zeros.
                data.verify(sample).map_err(Fault::failed)?;
            }
            let fact = RowFact {
                sample: ticket.sample,
                label,
                view,
                stream,
                is_padding: ticket.is_padding,
                refused: refused.clone(),
            };
            let serial = ticket.serial;
            written.push(Receipt {
                serial,
                rows: row,
                fact,
            })?;
            view += 1;
            left = rest;
        }
        Ok(buffer)
    }

    /// Writes one view into its row and returns its hash for the stream.
    fn write(&self, request: &Request, source: &Source<'_>, row: &mut Rows) -> u64 {
        let draw = match request.phase {
            Phase::Train => {
                let canonical = self.data.of(request.phase).canonical(request.sample as usize);
                self.rule.draw(request.epoch, canonical, source.frame)
            }
            Phase::Evaluate => self.rule.view(request.view, source.frame),
        };
        self.normalization
            .write(&draw, source.buffer, source.region, row.row_mut(0));
        self.hash(request, &draw, source.checksum, row)
    }

    fn hash(&self, request: &Request, draw: &Draw, checksum: u64, row: &mut Rows) -> u64 {
        let data = self.data.of(request.phase);
        let mut hash = Xxh3::new();
        let sample = request.sample as usize;
        hash.update(data.id(sample).class().as_bytes());
        hash.update(data.id(sample).name().as_bytes());
        hash.update(&data.label(sample).to_le_bytes());
        hash.update(&checksum.to_le_bytes());
        hash.update(&draw.region.x.to_le_bytes());
        hash.update(&draw.region.y.to_le_bytes());
        hash.update(&draw.region.width.to_le_bytes());
        hash.update(&draw.region.height.to_le_bytes());
        hash.update(&[u8::from(draw.flip), request.view]);
        let jitter = draw
            .jitter
            .map_or([1.0; 3], |j| [j.brightness, j.contrast, j.saturation]);
        for number in draw.colour.into_iter().chain(jitter) {
            hash.update(&number.to_bits().to_le_bytes());
        }
        if let Some(hole) = draw.hole {
            hash.update(&hole.x.to_le_bytes());
            hash.update(&hole.y.to_le_bytes());
        }
        if self.hash_pixels {
            hash.update(row.row_mut(0));
        }
        hash.digest()
    }
}
