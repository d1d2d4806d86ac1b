//! One channel: a bounded many-to-many queue on which the end of data is told apart from the loss of a worker.
//!
//! Order is kept by address (batch, row), so any worker may take any item: a slow image blocks nobody.
//!
//! Invariant: `Inlet::next` gives `Ok(None)` only after *every* outlet of the channel has been finished on purpose. An
//! outlet that is dropped otherwise (its worker panicked or failed) is a loss, seen downstream as `UpstreamLost`: at once,
//! however many other workers still hold outlets. They may be waiting for what the lost one had in hand.
//!
//! Who finds the channel full waits until it is half empty, and then has room for half of it: to be woken for each single item costs
//! more than writing a row does. That is safe because whoever takes items can take those that are there without another one's
//! help, so that a full channel always comes to be half empty.

use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crossbeam_channel::{Receiver, Sender, TryRecvError, TrySendError, bounded, select};

use super::fault::{DownstreamGone, UpstreamLost};
use super::gate::Entrance;
use super::gauge::ChannelGauge;
use super::stopwatch::Stopwatch;

/// What both ends share.
struct Shared {
    gauge: Arc<ChannelGauge>,
    /// Carries nothing. It is dropped at the first loss, which wakes every inlet that waits.
    alarm: Mutex<Option<Sender<Infallible>>>,
    /// Senders that wait for room.
    waiting: AtomicUsize,
    /// Held between the last look and the wait, so that no call is missed.
    lock: Mutex<()>,
    room: Condvar,
}

impl Shared {
    /// Wakes who waits for room, if `left` items leave enough of it.
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

/// The end that items go into. Each worker holds its own clone and ends it with [`Outlet::finish`].
pub struct Outlet<T> {
    sender: Sender<T>,
    shared: Arc<Shared>,
    waits: Arc<Stopwatch>,
    finished: bool,
}

/// The end that items come out of. Each worker holds its own clone.
pub struct Inlet<T> {
    /// Gone only while it is dropped.
    receiver: Option<Receiver<T>>,
    alarm: Receiver<Infallible>,
    shared: Arc<Shared>,
    /// What the worker passes before it takes an item, where its stage has a gate.
    entrance: Option<Entrance>,
}

/// Makes a channel called `name` in which at most `capacity` items wait.
pub fn channel<T>(name: &'static str, capacity: NonZeroUsize) -> (Outlet<T>, Inlet<T>) {
    let (sender, receiver) = bounded(capacity.get());
    let gauge = Arc::new(ChannelGauge::new(name, capacity.get()));
    // Not of capacity 0: waiting at such a channel allocates.
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
    /// Puts an item in; where the channel is full, waits until it is half empty. The clock is read only where there is a wait.
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
            // Once more with the lock in hand: who takes an item from now on sees that somebody waits.
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

    /// Ends this worker's part of the data. By value: nothing can follow it.
    pub fn finish(mut self) {
        self.finished = true;
    }

    /// One more outlet, for another stage than this one's: its waits are counted apart.
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
            // Before the sender goes (fields drop after this), so that whoever sees the close sees the loss.
            self.shared.alarm.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
    }
}

impl<T> Inlet<T> {
    /// One more inlet, for a worker that passes its stage's gate, where there is one, before it takes an item by
    /// [`Inlet::next`].
    #[must_use]
    pub fn behind(&self, entrance: Option<Entrance>) -> Self {
        let mut inlet = self.clone();
        inlet.entrance = entrance;
        inlet
    }

    /// The next item; waits for it. `Ok(None)` after the end of data. What was sent before a loss is still given.
    pub fn next(&self) -> Result<Option<T>, UpstreamLost> {
        self.next_after(|| Ok(()))
    }

    /// The same, and calls `before_wait` first wherever there is a wait: for a worker that must not sleep on what it has.
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

    /// An item that is there already; `Ok(None)` where there is none at the moment or no more.
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
            None => unreachable!("an inlet that is dropped takes nothing"),
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

    /// Time that has been spent waiting for an item here.
    pub fn waits(&self) -> Arc<Stopwatch> {
        Arc::clone(&self.shared.gauge.item)
    }
}

impl<T> Drop for Inlet<T> {
    fn drop(&mut self) {
        // First the receiver: who waits for room must find, when woken, that nobody takes items any more.
        self.receiver = None;
        self.shared.wake();
    }
}

/// Not behind the gate that the original may be behind: an entrance is one worker's.
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
