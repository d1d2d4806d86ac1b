//! How much memory the process holds that is not a file's.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Often enough to see buffers that live for a batch.
const EVERY: Duration = Duration::from_millis(20);

/// Anonymous resident memory at this moment, in bytes; `None` where the system does not tell.
pub fn anonymous_bytes() -> Option<u64> {
    status("RssAnon:")
}

/// The most resident memory that the process ever had, pages of mapped files and of the program itself included, in bytes:
/// the system's own high-water mark, as it counts other programs too.
pub fn peak_resident_bytes() -> Option<u64> {
    status("VmHWM:")
}

/// A number that the system keeps of this process, in bytes.
fn status(name: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

/// Watches for the largest amount. The system's own high-water mark counts the pages of mapped files as well.
pub struct Peak {
    seen: Arc<AtomicU64>,
    done: Arc<AtomicBool>,
    watcher: Option<JoinHandle<()>>,
}

impl Peak {
    /// Begins to watch.
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
            // Without the thread the peak is what is held at the end.
            thread::Builder::new().name("memory".to_string()).spawn(watch).ok()
        };
        Self { seen, done, watcher }
    }

    /// The largest amount so far.
    pub fn bytes(&self) -> Option<u64> {
        anonymous_bytes().map(|now| now.max(self.seen.load(Ordering::Relaxed)))
    }
}

impl Drop for Peak {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(watcher) = self.watcher.take() {
            // It only reads a file and sleeps.
            let _ = watcher.join();
        }
    }
}
