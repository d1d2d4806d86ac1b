//! The passes through the segments: [`forward`] and [`backward`], with the operations behind a head in [`fused`].

use std::ops::Range;

use super::buffers::Buffers;
use super::clock::{Clock, Timings};
use super::held::Held;
use super::network::{Network, Pass};
use super::plan::Plan;
use crate::devices::cpu::Cpu;
use fused::Images;

mod backward;
mod forward;
mod fused;

/// What all segments of a pass share.
#[derive(Clone, Copy)]
struct Work<'a> {
    cpu: &'a Cpu,
    plan: &'a Plan,
    rows: usize,
    first_row: usize,
    pass: Pass,
    timings: Option<&'a Timings>,
}

impl Network {
    fn work(&mut self) -> (Work<'_>, &mut Buffers, &[Held]) {
        let work = Work {
            cpu: &self.cpu,
            plan: &self.plan,
            rows: self.rows,
            first_row: self.first_row,
            pass: self.pass,
            timings: self.timings.as_ref(),
        };
        (work, &mut self.buffers, &self.parameters)
    }
}

impl<'a> Work<'a> {
    /// The chunks to work on: those that hold any of the rows.
    fn chunks(&self) -> &'a [Range<usize>] {
        self.plan.chunks.holding(self.rows)
    }

    /// A clock for one of the threads that work side by side.
    fn clock(&self) -> Clock<'a> {
        Clock::beside(self.timings)
    }

    fn images(&self, range: &Range<usize>) -> Images {
        Images {
            first: self.first_row + range.start,
            count: range.len(),
            pass: self.pass,
        }
    }
}

/// `chunk` in steps of `step` images.
fn steps(chunk: Range<usize>, step: usize) -> impl Iterator<Item = Range<usize>> {
    let end = chunk.end;
    chunk.step_by(step).map(move |first| first..(first + step).min(end))
}

/// The elements of `images` in a buffer with `len` elements per image.
fn rows_of<'a, T>(data: &'a [T], images: &Range<usize>, len: usize) -> &'a [T] {
    &data[images.start * len..images.end * len]
}
