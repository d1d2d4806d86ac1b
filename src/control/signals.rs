//! Signals that end a run. The first lets it finish its step and save. A second Ctrl-C or SIGTERM ends the process at once.

use std::fs;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::flow::Stop;

/// The shell's exit code for a process ended by SIGINT.
const INTERRUPTED: i32 = 130;

/// Listens until the system ends.
pub(super) fn listen(stop: Stop, on_stop: Box<dyn Fn()>) {
    let (Ok(interrupt), Ok(terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
        tracing::warn!("cannot handle signals: Ctrl-C will end the process without a checkpoint");
        return;
    };
    // A process that was started with SIGHUP ignored, as by `nohup`, is meant to outlive its terminal.
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
            // A closing terminal may send SIGHUP more than once; that does not mean "at once".
            std::process::exit(INTERRUPTED);
        }
    }
}

/// Waits for the next SIGHUP; forever if the process ignores it.
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
