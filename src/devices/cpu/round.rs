//! Rounds: the ranks meet, each sees where the others' buffers are, and none leaves before all are done with them.
//!
//! Invariants: a round begins only when all ranks have entered. No rank's buffers can go away before it has ended, because
//! leaving, even by a panic, waits for the others. A rank that waits to begin gets an error as soon as another rank is lost.

use std::ops::Range;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::devices::communicator::PeerLost;
use crate::flow::stopwatch::Stopwatch;

/// Where a rank's buffer is. Valid until its rank has left the round.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    start: *mut f32,
    len: usize,
}

// SAFETY: a place is only an address; `read` and `write` say when it may be accessed.
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

    /// Floats in the buffer.
    pub fn len(&self) -> usize {
        self.len
    }

    /// A part of the buffer.
    ///
    /// # Safety
    /// The round lasts for `'a`, and nobody writes to that part meanwhile.
    pub unsafe fn read<'a>(&self, part: Range<usize>) -> &'a [f32] {
        assert!(part.start <= part.end && part.end <= self.len, "inside of the buffer");
        // SAFETY: the part lies in the buffer, which exists while the round lasts; the caller guarantees the rest.
        unsafe { std::slice::from_raw_parts(self.start.add(part.start), part.len()) }
    }

    /// A part of the buffer, to be written.
    ///
    /// # Safety
    /// The round lasts for `'a`, and nobody else reads or writes that part meanwhile.
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
    /// For each rank that waits for the next round or is in the current one.
    places: Vec<Option<Vec<Place>>>,
    /// Rounds begun.
    begun: u64,
    /// Ranks in the current round.
    inside: usize,
    is_lost: bool,
}

/// A rank in a round. Dropping this leaves the round, and waits for the other ranks.
#[derive(Debug)]
pub struct Round<'a> {
    rounds: &'a Rounds,
    waits: &'a Stopwatch,
}

impl Rounds {
    /// A meeting point for `ranks` ranks.
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

    /// Waits until all ranks have entered.
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

    /// A rank has ended: all ranks that wait for it get an error.
    pub fn lose(&self) {
        self.lock().is_lost = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is consistent at every point where the lock is held, so a poisoned lock is usable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }
}

impl Round<'_> {
    /// Where buffer number `index` of each rank is.
    pub fn places(&self, index: usize) -> Vec<Place> {
        let state = self.rounds.lock();
        let places = state.places.iter().flatten();
        let places: Vec<Place> = places.filter_map(|places| places.get(index).copied()).collect();
        let ranks = state.places.len();
        drop(state);
        assert!(
            places.len() == ranks && places.iter().all(|place| place.len() == places[0].len()),
            "all ranks have the same number of buffers, of the same lengths"
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
