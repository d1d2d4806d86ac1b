//! No panic ends in success, on whichever thread it was.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::atomic::{AtomicBool, Ordering};

use super::Failure;

/// Whether a thread has panicked whose panic nobody has turned into the ending of a run. (Those of workers are: see
/// `flow/worker.rs`, whose hook does not ask this one.)
static PANICKED: AtomicBool = AtomicBool::new(false);

/// What `command` comes to; a fault of `pipeline` itself where any thread has panicked meanwhile.
pub(super) fn caught(command: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    let print = take_hook();
    set_hook(Box::new(move |panic| {
        PANICKED.store(true, Ordering::SeqCst);
        print(panic);
    }));
    let result = catch_unwind(AssertUnwindSafe(command));
    match result {
        Ok(result) if result.is_err() || !PANICKED.load(Ordering::SeqCst) => result,
        // Where and why stands on stderr already.
        _ => Err(Failure::Internal("this is a fault of pipeline itself".to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_on_any_thread_is_a_failure() {
        assert!(caught(|| Ok(())).is_ok());
        let on_another = || {
            let _ = std::thread::spawn(|| panic!("on purpose")).join();
            Ok(())
        };
        assert!(matches!(caught(on_another), Err(Failure::Internal(_))));
        assert!(matches!(caught(|| panic!("on purpose")), Err(Failure::Internal(_))));
        // What the command says itself is more.
        assert!(matches!(
            caught(|| Err(Failure::Failed(String::new()))),
            Err(Failure::Failed(_))
        ));
    }
}
