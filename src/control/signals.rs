//! Signals that ask a run to end: the first lets it finish its step and save; a second Ctrl-C or SIGTERM ends the process.

use std::fs;

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
    // Whoever started us with SIGHUP ignored, as `nohup` does, wants the run to outlive its terminal.
    let hangup = if ignores_hangup() {
        None
    } else {
        signal(SignalKind::hangup()).ok()
    };
    actix::spawn(wait(interrupt, terminate, hangup, stop, on_stop));
}

async fn wait(
    mut interrupt: Signal,
    mut terminate: Signal,
    mut hangup: Option<Signal>,
    stop: Stop,
    on_stop: Box<dyn Fn()>,
) {
    loop {
        let is_hangup = tokio::select! {
            _ = interrupt.recv() => false,
            _ = terminate.recv() => false,
            () = hung_up(&mut hangup) => true,
        };
        if !stop.is_requested() {
            stop.request();
            on_stop();
        } else if !is_hangup {
            // A terminal that closes may send more than one SIGHUP; nobody is there who could mean "at once" by it.
            std::process::exit(INTERRUPTED);
        }
    }
}

/// Waits for the next SIGHUP; for ever where it is not listened to.
async fn hung_up(hangup: &mut Option<Signal>) {
    match hangup {
        Some(hangup) => {
            hangup.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// Whether this process was started with SIGHUP ignored.
fn ignores_hangup() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (SignalKind::hangup().as_raw_value() - 1)) != 0)
}
