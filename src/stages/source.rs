//! source: which samples, in which order, into which rows.
//! upstream: free slots from the devices · downstream: decode, and staging, which hears of every opened batch
//!
//! Invariant: a ticket is issued only with its rows in hand. So at most slots × batch rows are in flight, every ticket can
//! finish without waiting for another, and no order of completion can block the flow.

use std::num::NonZeroU32;

use crate::flow::{Fault, Inlet, Outlet, Rows, Slot, Stop};
use crate::rng;
use crate::stages::messages::{Header, Opened, Phase, Position, Ticket};
use crate::stages::{Partition, Sets};

/// All batches of a run, as numbers: which there are and what is in each.
#[derive(Clone, Debug)]
pub struct Itinerary {
    /// The run's seed.
    pub seed: u64,
    /// Rows of a batch.
    pub batch: u32,
    /// Samples of the training set, over all ranks; 0 if nothing is trained (`eval`).
    pub train_samples: u32,
    /// This rank's share of them. Every rank evaluates the whole validation set.
    pub partition: Partition,
    /// Samples of the validation set; 0 if there is none.
    pub val_samples: u32,
    /// Views per validation sample.
    pub views: u32,
    /// Epochs between two evaluations.
    pub every_epochs: NonZeroU32,
    /// Steps after which the run ends.
    pub steps: u64,
}

impl Itinerary {
    /// Steps of a whole epoch.
    pub fn steps_per_epoch(&self) -> u32 {
        self.partition.steps(self.train_samples, self.batch)
    }

    /// Samples that this rank trains on in a whole epoch.
    pub fn samples_per_epoch(&self) -> u32 {
        self.partition.count(self.train_samples)
    }

    /// Number of epochs. The last may be incomplete.
    pub fn epochs(&self) -> u32 {
        if self.train_samples == 0 {
            1
        } else {
            self.steps.div_ceil(u64::from(self.steps_per_epoch())) as u32
        }
    }

    /// Number of batches in a phase.
    pub fn batches(&self, epoch: u32, phase: Phase) -> u32 {
        match phase {
            Phase::Train => {
                let per_epoch = u64::from(self.steps_per_epoch());
                self.steps.saturating_sub(u64::from(epoch) * per_epoch).min(per_epoch) as u32
            }
            Phase::Evaluate if self.evaluates_after(epoch) => self.rows(Phase::Evaluate).div_ceil(self.batch),
            Phase::Evaluate => 0,
        }
    }

    fn evaluates_after(&self, epoch: u32) -> bool {
        (epoch + 1).is_multiple_of(self.every_epochs.get()) || epoch + 1 == self.epochs()
    }

    /// Rows of a whole phase.
    fn rows(&self, phase: Phase) -> u32 {
        match phase {
            Phase::Train => self.samples_per_epoch(),
            Phase::Evaluate => self.val_samples * self.views,
        }
    }

    /// Where a run continues after `at`'s phase. Also defined past the end, in case the run gets more epochs or steps.
    pub fn after(&self, at: Position) -> Position {
        if at.phase == Phase::Train && self.batches(at.epoch, Phase::Evaluate) > 0 {
            return Position {
                phase: Phase::Evaluate,
                batch: 0,
                ..at
            };
        }
        let trained = self.batches(at.epoch, Phase::Train);
        if trained < self.steps_per_epoch() {
            Position {
                phase: Phase::Train,
                batch: trained,
                ..at
            }
        } else {
            Position {
                epoch: at.epoch + 1,
                phase: Phase::Train,
                batch: 0,
            }
        }
    }

    /// Whether a run can be at `at` after `steps` updates, whatever its planned length.
    pub fn holds(&self, at: Position, steps: u64) -> bool {
        let per_epoch = u64::from(self.steps_per_epoch());
        let before = u64::from(at.epoch) * per_epoch;
        match at.phase {
            Phase::Train => u64::from(at.batch) <= per_epoch && steps == before + u64::from(at.batch),
            Phase::Evaluate => steps > before && steps <= before + per_epoch,
        }
    }

    /// Where a run continues that stopped at `at` after `steps` updates and may have been given more steps since: an incomplete
    /// training epoch is finished before it is evaluated.
    pub fn resumed(&self, at: Position, steps: u64) -> Position {
        let trained = steps.saturating_sub(u64::from(at.epoch) * u64::from(self.steps_per_epoch()));
        if at.phase == Phase::Evaluate && trained < u64::from(self.batches(at.epoch, Phase::Train)) {
            Position {
                phase: Phase::Train,
                batch: trained as u32,
                ..at
            }
        } else {
            at
        }
    }

    /// The first batch after `at`'s phase; `None` at the end of the run. Phases without batches are skipped.
    pub fn next_phase(&self, at: Position) -> Option<Position> {
        let next = match at.phase {
            Phase::Train => Position {
                phase: Phase::Evaluate,
                batch: 0,
                ..at
            },
            Phase::Evaluate => Position {
                epoch: at.epoch + 1,
                phase: Phase::Train,
                batch: 0,
            },
        };
        self.settle(next)
    }

    /// `at` itself if there is such a batch, otherwise the next one; `None` at the end of the run.
    pub fn settle(&self, at: Position) -> Option<Position> {
        if at.epoch >= self.epochs() {
            None
        } else if at.batch < self.batches(at.epoch, at.phase) {
            Some(at)
        } else {
            self.next_phase(at)
        }
    }
}

/// The settings of the source.
#[derive(Clone, Debug)]
pub struct Source {
    /// All batches of the run.
    pub itinerary: Itinerary,
    /// The first batch to make.
    pub start: Position,
    /// Where to prefetch the samples' bytes when their tickets are issued; `None` if nobody reads them.
    pub ahead: Option<Sets>,
}

/// Issues all tickets of the run, batch by batch, as slots become free.
pub fn run(
    source: &Source,
    free: &Inlet<Slot>,
    opened: Outlet<Opened>,
    tickets: Outlet<Ticket>,
    stop: &Stop,
) -> Result<(), Fault> {
    let way = &source.itinerary;
    let mut serial = 0;
    let mut place = way.settle(source.start);
    while let Some(at) = place {
        let order = match at.phase {
            Phase::Train => way
                .partition
                .of(rng::permutation(way.seed, at.epoch, way.train_samples)),
            Phase::Evaluate => (0..way.val_samples).collect(),
        };
        let batches = way.batches(at.epoch, at.phase);
        let next = way.next_phase(at);
        for batch in at.batch..batches {
            let Some(slot) = free.next()? else {
                return Err(Fault::Aborted);
            };
            if stop.is_requested() {
                break;
            }
            let span = tracing::trace_span!("source", epoch = at.epoch, batch);
            let _entered = span.enter();
            let left = way.rows(at.phase).saturating_sub(batch * way.batch);
            // A batch without rows would be no step, and the other ranks have one here.
            let rows = way.batch.min(left).max(1);
            let last = batch + 1 == batches;
            let position = Position { batch, ..at };
            let header = Header {
                serial,
                position,
                rows,
                last,
                end_of_run: last && next.is_none(),
            };
            let (lent, lease) = slot.lend(rows as usize);
            opened.send(Opened { header, lent })?;
            if left == 0 {
                tickets.send(padding(&header, lease))?;
            } else {
                issue(source, &header, &order, lease, &tickets)?;
            }
            serial += 1;
        }
        place = if stop.is_requested() { None } else { next };
    }
    opened.finish();
    tickets.finish();
    Ok(())
}

/// The ticket of a batch for which no sample is left.
fn padding(header: &Header, rows: Rows) -> Ticket {
    Ticket {
        serial: header.serial,
        phase: header.position.phase,
        epoch: header.position.epoch,
        sample: 0,
        first_view: 0,
        is_padding: true,
        rows,
    }
}

/// Issues one ticket per sample of the batch, with all of its views that belong to this batch.
fn issue(source: &Source, header: &Header, order: &[u32], lease: Rows, tickets: &Outlet<Ticket>) -> Result<(), Fault> {
    let way = &source.itinerary;
    let Position { epoch, phase, batch } = header.position;
    let views = if phase == Phase::Train { 1 } else { way.views };
    let mut row = batch * way.batch;
    let mut left = Some(lease);
    while let Some(rows) = left {
        let view = row % views;
        let count = (views - view).min(rows.range().len() as u32);
        let (these, rest) = rows.split(count as usize);
        let sample = order[(row / views) as usize];
        if let Some(sets) = &source.ahead {
            sets.of(phase).prefetch(sample as usize);
        }
        tickets.send(Ticket {
            serial: header.serial,
            phase,
            epoch,
            sample,
            first_view: view as u8,
            is_padding: false,
            rows: these,
        })?;
        row += count;
        left = rest;
    }
    Ok(())
}
