//! Large images are decoded one at a time: each worker has room for those that a plan counts on, and there is room for one
//! that is larger.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Waits for this decoder's turn. Whoever has it waits for nothing else.
pub(super) fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
