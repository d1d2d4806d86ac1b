//! Rounds: the ranks meet, each sees where the others' buffers are, and none leaves before all are done with them.
//!
//! Invariants: a round begins only with every rank in it, and no rank's buffers can go away before it has ended, for leaving
//! (also by a panic) waits for the others. A rank that waits for the beginning gets an error as soon as another is lost.

use std::ops::Range;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::devices::communicator::PeerLost;
use crate::flow::stopwatch::Stopwatch;

/// Where a rank's buffer is. Good until its rank has left the round.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    start: *mut f32,
    len: usize,
}

// SAFETY: a place is an address; whoever reads or writes there must know that he may (see `read` and `write`).
unsafe impl Send for Place {}
// SAFETY: as above.
unsafe impl Sync for Place {}

impl Place {
    /// The place of a buffer that its rank lends to the round.
    pub fn of(buffer: &mut [f32]) -> Self {
        Self {
            start: buffer.as_mut_ptr(),
            len: buffer.len(),
        }
    }

    /// Floats of the buffer.
    pub fn len(&self) -> usize {
        self.len
    }

    /// A part of the buffer.
    ///
    /// # Safety
    /// The round goes on for `'a`, and nobody writes to that part meanwhile.
    pub unsafe fn read<'a>(&self, part: Range<usize>) -> &'a [f32] {
        assert!(part.start <= part.end && part.end <= self.len, "inside of the buffer");
        // SAFETY: the part lies in the buffer, which is there while the round goes on; the rest the caller promises.
        unsafe { std::slice::from_raw_parts(self.start.add(part.start), part.len()) }
    }

    /// A part of the buffer, to be written.
    ///
    /// # Safety
    /// The round goes on for `'a`, and nobody else reads or writes that part meanwhile.
    pub unsafe fn write<'a>(&self, part: Range<usize>) -> &'a mut [f32] {
        assert!(part.start <= part.end && part.end <= self.len, "inside of the buffer");
        // SAFETY: as in `read`.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(part.start), part.len()) }
    }
}

/// Where the ranks meet.
#[derive(Debug)]
pub struct Rounds {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    /// Of each rank that has come for the next round, or is in the one under way.
    places: Vec<Option<Vec<Place>>>,
    /// Rounds begun.
    begun: u64,
    /// Ranks in the round under way.
    inside: usize,
    is_lost: bool,
}

/// A rank in a round; leaves it when dropped, and that waits for the others.
#[derive(Debug)]
pub struct Round<'a> {
    rounds: &'a Rounds,
    waits: &'a Stopwatch,
}

impl Rounds {
    /// For `ranks` ranks.
    pub fn new(ranks: usize) -> Self {
        Self {
            state: Mutex::new(State {
                places: vec![None; ranks],
                begun: 0,
                inside: 0,
                is_lost: false,
            }),
            changed: Condvar::new(),
        }
    }

    /// How many ranks there are.
    pub fn ranks(&self) -> usize {
        self.lock().places.len()
    }

    /// Waits until every rank is here.
    pub fn enter<'a>(&'a self, rank: usize, places: Vec<Place>, waits: &'a Stopwatch) -> Result<Round<'a>, PeerLost> {
        let mut state = self.lock();
        state.places[rank] = Some(places);
        let begun = state.begun;
        if state.places.iter().all(Option::is_some) {
            state.begun += 1;
            state.inside = state.places.len();
            self.changed.notify_all();
        } else {
            let _waiting = waits.enter();
            while state.begun == begun && !state.is_lost {
                state = self.wait(state);
            }
            if state.begun == begun {
                state.places[rank] = None;
                return Err(PeerLost);
            }
        }
        Ok(Round { rounds: self, waits })
    }

    /// A rank has ended: whoever waits for it, waits in vain.
    pub fn lose(&self) {
        self.lock().is_lost = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // What is done with the lock in hand leaves the state whole at every point.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }
}

impl Round<'_> {
    /// Where each rank's buffer number `index` is.
    pub fn places(&self, index: usize) -> Vec<Place> {
        let state = self.rounds.lock();
        let places = state.places.iter().flatten();
        let places: Vec<Place> = places.filter_map(|places| places.get(index).copied()).collect();
        let ranks = state.places.len();
        drop(state);
        assert!(
            places.len() == ranks && places.iter().all(|place| place.len() == places[0].len()),
            "every rank takes part with as many buffers of the same lengths"
        );
        places
    }
}

impl Drop for Round<'_> {
    fn drop(&mut self) {
        let mut state = self.rounds.lock();
        state.inside -= 1;
        if state.inside == 0 {
            state.places.fill(None);
            self.rounds.changed.notify_all();
            return;
        }
        let _waiting = self.waits.enter();
        let this = state.begun;
        while state.begun == this && state.inside > 0 {
            state = self.rounds.wait(state);
        }
    }
}
