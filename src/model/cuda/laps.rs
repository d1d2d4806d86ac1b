//! The time of each piece of a step, from events between them.

use std::ops::Range;

use super::program::Piece;
use crate::devices::cuda::{CudaError, Event, Stream};
use crate::model::{Direction, Lap};

/// Events between the pieces since they were last read.
#[derive(Debug, Default)]
pub struct Laps {
    /// An event at the beginning of each piece, and one at the end. They are used again.
    events: Vec<Event>,
    marked: usize,
    /// What is between two events; `None`: nothing of a step.
    pieces: Vec<Option<(Range<usize>, Direction)>>,
}

impl Laps {
    /// Marks the beginning of `piece`.
    pub fn begin(&mut self, stream: &Stream, piece: &Piece) -> Result<(), CudaError> {
        self.mark(stream)?;
        self.pieces.push(Some((piece.layers.clone(), piece.direction)));
        Ok(())
    }

    /// Marks the end of the last piece.
    pub fn end(&mut self, stream: &Stream) -> Result<(), CudaError> {
        self.mark(stream)?;
        // What comes next begins a new row of laps: the time between is nobody's.
        self.pieces.push(None);
        Ok(())
    }

    /// The laps so far. Waits for them. Consecutive pieces of one kind are one lap.
    pub fn take(&mut self) -> Result<Vec<Lap>, CudaError> {
        let mut laps: Vec<Lap> = Vec::new();
        let between = self.events[..self.marked].windows(2);
        for (pair, piece) in between.zip(&self.pieces) {
            let Some((layers, direction)) = piece else {
                continue;
            };
            let time = pair[0].until(&pair[1])?;
            match laps.last_mut() {
                Some(last) if last.layers == *layers && last.direction == *direction => last.time += time,
                _ => laps.push(Lap {
                    layers: layers.clone(),
                    direction: *direction,
                    algorithm: None,
                    time,
                }),
            }
        }
        self.marked = 0;
        self.pieces.clear();
        Ok(laps)
    }

    fn mark(&mut self, stream: &Stream) -> Result<(), CudaError> {
        if self.marked == self.events.len() {
            self.events.push(stream.gpu().timed_event()?);
        }
        stream.record(&self.events[self.marked])?;
        self.marked += 1;
        Ok(())
    }
}
