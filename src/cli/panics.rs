//! A command with a panic on any thread does not end in success.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::atomic::{AtomicBool, Ordering};

use super::Failure;

/// Whether a thread has panicked outside of a run's workers. (A worker's panic becomes the end of the run: see
/// `flow/worker.rs`, whose hook does not call this one.)
static PANICKED: AtomicBool = AtomicBool::new(false);

/// The result of `command`, or a fault of `pipeline` itself if any thread panicked meanwhile.
pub(super) fn caught(command: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    let print = take_hook();
    set_hook(Box::new(move |panic| {
        PANICKED.store(true, Ordering::SeqCst);
        print(panic);
    }));
    let result = catch_unwind(AssertUnwindSafe(command));
    match result {
        Ok(result) if result.is_err() || !PANICKED.load(Ordering::SeqCst) => result,
        // The place and the reason are already on stderr.
        _ => Err(Failure::Internal("this is a bug in pipeline".to_string())),
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
        // The command's own error says more.
        assert!(matches!(
            caught(|| Err(Failure::Failed(String::new()))),
            Err(Failure::Failed(_))
        ));
    }
}
