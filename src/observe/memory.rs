//! The process's memory, without mapped files.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Short enough to see buffers that live for one batch.
const EVERY: Duration = Duration::from_millis(20);

/// Anonymous resident memory at this moment, in bytes; `None` if the system does not report it.
pub fn anonymous_bytes() -> Option<u64> {
    status("RssAnon:")
}

/// The peak of resident memory in bytes, including pages of mapped files and of the program itself. This is the system's
/// own high-water mark, the number that other programs report too.
pub fn peak_resident_bytes() -> Option<u64> {
    status("VmHWM:")
}

/// A number in bytes that the system keeps for this process.
fn status(name: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

/// Watches the peak of anonymous memory. The system's own high-water mark also counts the pages of mapped files.
pub struct Peak {
    seen: Arc<AtomicU64>,
    done: Arc<AtomicBool>,
    watcher: Option<JoinHandle<()>>,
}

impl Peak {
    /// Starts watching.
    pub fn watch() -> Self {
        let (seen, done) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let watcher = {
            let (seen, done) = (Arc::clone(&seen), Arc::clone(&done));
            let watch = move || {
                while !done.load(Ordering::Relaxed) {
                    seen.fetch_max(anonymous_bytes().unwrap_or(0), Ordering::Relaxed);
                    thread::sleep(EVERY);
                }
            };
            // Without the thread, the peak is the amount held at the end.
            thread::Builder::new().name("memory".to_string()).spawn(watch).ok()
        };
        Self { seen, done, watcher }
    }

    /// The peak so far.
    pub fn bytes(&self) -> Option<u64> {
        anonymous_bytes().map(|now| now.max(self.seen.load(Ordering::Relaxed)))
    }
}

impl Drop for Peak {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(watcher) = self.watcher.take() {
            // The thread only reads a file and sleeps.
            let _ = watcher.join();
        }
    }
}
