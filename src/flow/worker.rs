//! A stage's thread. It has a name, its panics are caught, and it always reports how it ended.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::thread::JoinHandle;

use super::fault::{Exit, Fault};

thread_local! {
    /// Message and place of the current panic; `None` on threads that are not workers.
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// A running worker.
pub struct Worker {
    handle: JoinHandle<()>,
}

impl Worker {
    /// Runs `body` on a thread called `<stage>-<index>`. `on_exit` is called in any case, with how it ended.
    pub fn spawn(
        stage: &'static str,
        index: usize,
        body: impl FnOnce() -> Result<(), Fault> + Send + 'static,
        on_exit: impl FnOnce(Exit) + Send + 'static,
    ) -> std::io::Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(keep_panics_of_workers);
        let run = move || {
            PANIC.set(Some(String::new()));
            let exit = match catch_unwind(AssertUnwindSafe(body)) {
                Ok(Ok(())) => Exit::Drained,
                Ok(Err(fault)) => Exit::Faulted(fault),
                Err(payload) => Exit::Panicked(what_was_said(payload.as_ref())),
            };
            on_exit(exit);
        };
        let handle = std::thread::Builder::new()
            .name(format!("{stage}-{index}"))
            .spawn(run)?;
        Ok(Self { handle })
    }

    /// Waits for the thread. How it ended was already passed to `on_exit`.
    pub fn join(self) {
        let _ = self.handle.join();
    }
}

/// Message and place of a caught panic. If it came from a thread of a pool, that thread has printed the place, and the payload
/// has the message.
fn what_was_said(payload: &(dyn Any + Send)) -> String {
    let text = || payload.downcast_ref::<&str>().map(ToString::to_string);
    let string = || payload.downcast_ref::<String>().cloned();
    let kept = PANIC.take().filter(|kept| !kept.is_empty());
    kept.or_else(text)
        .or_else(string)
        .unwrap_or_else(|| "no message".to_string())
}

/// Keeps workers' panics for their exit, instead of letting the runtime print them in the middle of the progress output.
fn keep_panics_of_workers() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let kept = PANIC.with_borrow_mut(|slot| {
            slot.as_mut().map(|text| {
                let message = info.payload_as_str().unwrap_or("no message");
                let place = info
                    .location()
                    .map_or(String::new(), |at| format!(" (at {}:{})", at.file(), at.line()));
                *text = format!("{message}{place}");
            })
        });
        if kept.is_none() {
            default(info);
        }
    }));
}
