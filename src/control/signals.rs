//! Ctrl-C and SIGTERM: the first asks the run to end after its step, the second ends the process.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::flow::Stop;

/// The shell's convention for a process that a SIGINT ended.
const INTERRUPTED: i32 = 130;

/// Listens until the system ends.
pub(super) fn listen(stop: Stop, on_stop: Box<dyn Fn()>) {
    let (Ok(interrupt), Ok(terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
        tracing::warn!("signals cannot be listened to: Ctrl-C ends the process without a checkpoint");
        return;
    };
    actix::spawn(wait(interrupt, terminate, stop, on_stop));
}

async fn wait(mut interrupt: Signal, mut terminate: Signal, stop: Stop, on_stop: Box<dyn Fn()>) {
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        if stop.is_requested() {
            std::process::exit(INTERRUPTED);
        }
        stop.request();
        on_stop();
    }
}
