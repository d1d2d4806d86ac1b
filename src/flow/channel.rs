//! A channel: a bounded many-to-many queue that distinguishes the end of data from the loss of a worker.
//!
//! Items carry their address (batch, row), so any worker may take any item, and a slow image blocks nobody.
//!
//! Invariant: `Inlet::next` returns `Ok(None)` only after *every* outlet of the channel has been finished. An outlet that is
//! dropped unfinished (its worker panicked or failed) is a loss. Downstream sees it as `UpstreamLost` at once, even while other
//! workers still hold outlets, because they may be waiting for what the lost worker held.
//!
//! A sender that finds the channel full waits until it is half empty: being woken for every single item would cost more than
//! writing a row. That is safe because receivers can take the items that are there without anybody's help, so a full channel
//! always becomes half empty.

use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crossbeam_channel::{Receiver, Sender, TryRecvError, TrySendError, bounded, select};

use super::fault::{DownstreamGone, UpstreamLost};
use super::gate::Entrance;
use super::gauge::ChannelGauge;
use super::stopwatch::Stopwatch;

/// The state that both ends share.
struct Shared {
    gauge: Arc<ChannelGauge>,
    /// Never carries anything. It is dropped at the first loss, which wakes all waiting inlets.
    alarm: Mutex<Option<Sender<Infallible>>>,
    /// Senders that wait for room.
    waiting: AtomicUsize,
    /// Held between the last check and the wait, so that no wake-up is missed.
    lock: Mutex<()>,
    room: Condvar,
}

impl Shared {
    /// Wakes the senders that wait for room, if `left` remaining items leave enough of it.
    fn taken(&self, left: usize) {
        if self.waiting.load(Ordering::SeqCst) > 0 && left <= self.gauge.capacity / 2 {
            self.wake();
        }
    }

    fn wake(&self) {
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner));
        self.room.notify_all();
    }
}

/// The sending end. Each worker has its own clone and ends it with [`Outlet::finish`].
pub struct Outlet<T> {
    sender: Sender<T>,
    shared: Arc<Shared>,
    waits: Arc<Stopwatch>,
    finished: bool,
}

/// The receiving end. Each worker has its own clone.
pub struct Inlet<T> {
    /// `None` only while the inlet is dropped.
    receiver: Option<Receiver<T>>,
    alarm: Receiver<Infallible>,
    shared: Arc<Shared>,
    /// The entrance to pass before taking an item, if the stage has a gate.
    entrance: Option<Entrance>,
}

/// Makes a channel called `name` that holds at most `capacity` items.
pub fn channel<T>(name: &'static str, capacity: NonZeroUsize) -> (Outlet<T>, Inlet<T>) {
    let (sender, receiver) = bounded(capacity.get());
    let gauge = Arc::new(ChannelGauge::new(name, capacity.get()));
    // Capacity 1, because waiting on a channel of capacity 0 allocates.
    let (alarm, alarmed) = bounded(1);
    let shared = Arc::new(Shared {
        gauge,
        alarm: Mutex::new(Some(alarm)),
        waiting: AtomicUsize::new(0),
        lock: Mutex::new(()),
        room: Condvar::new(),
    });
    (
        Outlet {
            sender,
            waits: Arc::clone(&shared.gauge.room),
            shared: Arc::clone(&shared),
            finished: false,
        },
        Inlet {
            receiver: Some(receiver),
            alarm: alarmed,
            shared,
            entrance: None,
        },
    )
}

impl<T> Outlet<T> {
    /// Sends an item. If the channel is full, waits until it is half empty. The clock is read only if there is a wait.
    pub fn send(&self, item: T) -> Result<(), DownstreamGone> {
        match self.sender.try_send(item) {
            Ok(()) => {}
            Err(TrySendError::Disconnected(_)) => return Err(self.gone()),
            Err(TrySendError::Full(item)) => {
                let _waiting = self.waits.enter();
                self.shared.waiting.fetch_add(1, Ordering::SeqCst);
                let sent = self.send_later(item);
                self.shared.waiting.fetch_sub(1, Ordering::SeqCst);
                sent?;
            }
        }
        self.shared.gauge.count_sent();
        Ok(())
    }

    fn send_later(&self, mut item: T) -> Result<(), DownstreamGone> {
        let mut held = self.shared.lock.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            // Tries again with the lock held: receivers see from now on that somebody waits.
            match self.sender.try_send(item) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Disconnected(_)) => return Err(self.gone()),
                Err(TrySendError::Full(back)) => item = back,
            }
            held = self.shared.room.wait(held).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn gone(&self) -> DownstreamGone {
        DownstreamGone {
            channel: self.shared.gauge.name,
        }
    }

    /// Ends this worker's part of the data. Takes the outlet by value, so nothing can follow.
    pub fn finish(mut self) {
        self.finished = true;
    }

    /// Another outlet, for a different stage: its waits are counted separately.
    #[must_use]
    pub fn apart(&self) -> Self {
        Self {
            sender: self.sender.clone(),
            shared: Arc::clone(&self.shared),
            waits: Arc::default(),
            finished: false,
        }
    }

    /// The channel's counts.
    pub fn gauge(&self) -> Arc<ChannelGauge> {
        Arc::clone(&self.shared.gauge)
    }

    /// Time that this stage has spent waiting for room here.
    pub fn waits(&self) -> Arc<Stopwatch> {
        Arc::clone(&self.waits)
    }
}

impl<T> Clone for Outlet<T> {
    fn clone(&self) -> Self {
        Self {
            sender: self.sender.clone(),
            shared: Arc::clone(&self.shared),
            waits: Arc::clone(&self.waits),
            finished: false,
        }
    }
}

impl<T> Drop for Outlet<T> {
    fn drop(&mut self) {
        if !self.finished {
            // Before the sender is dropped (fields drop after this), so that a receiver that sees the close sees the loss.
            self.shared.alarm.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
    }
}

impl<T> Inlet<T> {
    /// Another inlet, for a worker that passes its stage's gate, if there is one, before it takes an item with
    /// [`Inlet::next`].
    #[must_use]
    pub fn behind(&self, entrance: Option<Entrance>) -> Self {
        let mut inlet = self.clone();
        inlet.entrance = entrance;
        inlet
    }

    /// Waits for the next item. `Ok(None)` after the end of data. Items that were sent before a loss are still delivered.
    pub fn next(&self) -> Result<Option<T>, UpstreamLost> {
        self.next_after(|| Ok(()))
    }

    /// The same, but calls `before_wait` before any wait: for a worker that must not sleep while it holds something.
    pub fn next_after<E: From<UpstreamLost>>(
        &self,
        mut before_wait: impl FnMut() -> Result<(), E>,
    ) -> Result<Option<T>, E> {
        if let Some(entrance) = &self.entrance
            && !entrance.is_open()
        {
            before_wait()?;
            entrance.pass();
        }
        if let Some(item) = self.ready()? {
            return Ok(Some(item));
        }
        before_wait()?;
        let waiting = self.shared.gauge.item.enter();
        let received = select! {
            recv(self.receiver()) -> item => item.ok(),
            recv(self.alarm) -> _ => self.receiver().try_recv().ok(),
        };
        drop(waiting);
        match received {
            Some(item) => Ok(Some(self.taken(item))),
            None => Ok(self.end()?),
        }
    }

    /// An item that is already there; `Ok(None)` if there is none at the moment, or no more.
    pub fn ready(&self) -> Result<Option<T>, UpstreamLost> {
        match self.receiver().try_recv() {
            Ok(item) => Ok(Some(self.taken(item))),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => self.end(),
        }
    }

    fn taken(&self, item: T) -> T {
        self.shared.gauge.count_received();
        self.shared.taken(self.receiver().len());
        item
    }

    fn receiver(&self) -> &Receiver<T> {
        match &self.receiver {
            Some(receiver) => receiver,
            None => unreachable!("a dropped inlet receives nothing"),
        }
    }

    fn end(&self) -> Result<Option<T>, UpstreamLost> {
        let is_lost = self.alarm.try_recv() == Err(TryRecvError::Disconnected);
        if is_lost {
            Err(UpstreamLost {
                channel: self.shared.gauge.name,
            })
        } else {
            Ok(None)
        }
    }

    /// The channel's counts.
    pub fn gauge(&self) -> Arc<ChannelGauge> {
        Arc::clone(&self.shared.gauge)
    }

    /// Time spent waiting for items here.
    pub fn waits(&self) -> Arc<Stopwatch> {
        Arc::clone(&self.shared.gauge.item)
    }
}

impl<T> Drop for Inlet<T> {
    fn drop(&mut self) {
        // First the receiver: the woken senders must find that nobody receives items any more.
        self.receiver = None;
        self.shared.wake();
    }
}

/// The clone is not behind a gate: an entrance belongs to one worker.
impl<T> Clone for Inlet<T> {
    fn clone(&self) -> Self {
        Self {
            receiver: self.receiver.clone(),
            alarm: self.alarm.clone(),
            shared: Arc::clone(&self.shared),
            entrance: None,
        }
    }
}
