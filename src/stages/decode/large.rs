//! Large images are decoded one at a time. The memory plan counts the usual images for each worker, and one large image for all
//! of them.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Waits for this decoder's turn. The holder waits for nothing else, so this cannot deadlock.
pub(super) fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
