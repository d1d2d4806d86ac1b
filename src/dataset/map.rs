//! Files mapped into memory, and the guard that keeps a truncated one from killing the process.
//!
//! Suppose a file is shortened while it is mapped. Reading a page beyond its new end raises SIGBUS, which by default kills
//! the process without a message. The guard's handler looks the address up in a fixed table of our mappings, puts a page of
//! zeros there, and notes how far the mapping can still be trusted. The reader then continues, and calls [`Mapping::check`]
//! afterwards to learn whether the bytes were the file's. A SIGBUS that is not ours goes to the previous handler.
//!
//! A mapped file may also be overwritten by anyone at any time. So data to be parsed or decoded is first copied out of the
//! map in one go ([`Mapped::copy`]): the copy does not change however often it is read. Only pixels are used in place
//! ([`Mapped`]), because their values decide nothing.

use std::ffi::c_void;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use memmap2::{Advice, Mmap};

/// The size of the table. More mappings at once are refused. 1.3 million images in shards of about 1 GB make 150.
const MOST: usize = 4096;

/// One mapping as the signal handler sees it. The slot is free if `end` is 0. `start` is written last and cleared first.
struct Slot {
    start: AtomicUsize,
    end: AtomicUsize,
    /// The lowest offset that was replaced by zeros.
    broken_at: AtomicUsize,
}

static TABLE: [Slot; MOST] = [const {
    Slot {
        start: AtomicUsize::new(0),
        end: AtomicUsize::new(0),
        broken_at: AtomicUsize::new(usize::MAX),
    }
}; MOST];

/// A file, mapped for reading and guarded against truncation.
pub struct Mapping {
    map: Mmap,
    file: File,
    path: PathBuf,
    slot: &'static Slot,
}

impl Mapping {
    /// Maps a whole file.
    pub fn open(path: &Path) -> io::Result<Self> {
        guard()?;
        let file = File::open(path)?;
        // SAFETY: the file may change under the map. The guard and `check` catch shortening. Writes to the file cannot be
        // prevented, so nothing may depend on a byte being the same on a second read. `Dataset::read` copies whatever is
        // parsed or decoded, and the decoder sees only the copy. A pixel that is read in place (`Mapped`) becomes a number
        // in a row, never a length, place or index. The tar reader copies the headers and checks their numbers against the
        // map's length, which is fixed. So a data set that is overwritten during use gives wrong pixels or a refused image,
        // but never an access outside of a buffer.
        let map = unsafe { Mmap::map(&file)? };
        let slot = register(map.as_ptr() as usize, map.len())?;
        Ok(Self {
            map,
            file,
            path: path.to_owned(),
            slot,
        })
    }

    /// The file's bytes. They are zeros where the file has since been cut off: call [`Mapping::check`] after use.
    pub fn bytes(&self) -> &[u8] {
        &self.map
    }

    /// `length` bytes from `at` on, in place.
    pub(super) fn lend(&self, at: usize, length: usize) -> Mapped<'_> {
        Mapped(&self.map[at..at + length])
    }

    /// Asks the system to read these bytes ahead.
    ///
    /// Errors are ignored: without the advice, reads are only slower. Any fault of the file is found and reported when the
    /// bytes are read.
    pub fn prefetch(&self, at: u64, bytes: u64) {
        if at.checked_add(bytes).is_some_and(|end| end <= self.map.len() as u64) {
            let _ = self.map.advise_range(Advice::WillNeed, at as usize, bytes as usize);
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a page of this file was missing.
    pub fn is_broken(&self) -> bool {
        self.slot.broken_at.load(SeqCst) != usize::MAX
    }

    /// Checks that the bytes before `end` are, and were, the file's. The error is the file's present length.
    ///
    /// The length is checked too: bytes after the end of a file, in its last page, read as zeros without a signal.
    pub fn check(&self, end: u64) -> Result<(), u64> {
        let length = self.file.metadata().map_or(0, |metadata| metadata.len());
        let trusted = length.min(self.slot.broken_at.load(SeqCst) as u64);
        if end <= trusted { Ok(()) } else { Err(trusted) }
    }
}

/// Bytes of a mapped file, in place. They may change between two reads: use them for pixels and checksums, but not for
/// lengths or offsets.
#[derive(Clone, Copy)]
pub struct Mapped<'a>(&'a [u8]);

impl<'a> Mapped<'a> {
    /// All the bytes.
    pub fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// Copies all the bytes. The copy stays the same even if the file is overwritten.
    pub fn copy(self, copy: &mut Vec<u8>) {
        copy.clear();
        copy.extend_from_slice(self.0);
    }

    /// Copies the first bytes, as many as fit into `copy`: data to be parsed must not change.
    pub fn head(self, copy: &mut [u8]) -> &[u8] {
        let length = copy.len().min(self.0.len());
        let copy = &mut copy[..length];
        copy.copy_from_slice(&self.0[..length]);
        copy
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        self.slot.start.store(0, SeqCst);
        self.slot.end.store(0, SeqCst);
    }
}

/// Takes a free slot in the table.
fn register(start: usize, length: usize) -> io::Result<&'static Slot> {
    let slot = TABLE
        .iter()
        .find(|slot| slot.end.compare_exchange(0, usize::MAX, SeqCst, SeqCst).is_ok());
    let slot = slot.ok_or_else(|| io::Error::other(format!("more than {MOST} files are mapped")))?;
    slot.broken_at.store(usize::MAX, SeqCst);
    slot.end.store(start + length, SeqCst);
    slot.start.store(start, SeqCst);
    Ok(slot)
}

/// The previous handler of SIGBUS (usually Rust's own, for stack overflow).
static BEFORE: OnceLock<libc::sigaction> = OnceLock::new();
static PAGE: AtomicUsize = AtomicUsize::new(4096);

/// Installs the handler, once.
fn guard() -> io::Result<()> {
    static INSTALLED: OnceLock<Result<(), i32>> = OnceLock::new();
    let installed = INSTALLED.get_or_init(|| {
        allow_more_files();
        // SAFETY: plain queries and one sigaction, with structures on this stack. `on_sigbus` has the signature that
        // SA_SIGINFO requires, and uses only atomics, a finished OnceLock and system calls.
        unsafe {
            PAGE.store(libc::sysconf(libc::_SC_PAGESIZE) as usize, SeqCst);
            let mut before: libc::sigaction = std::mem::zeroed();
            libc::sigaction(libc::SIGBUS, std::ptr::null(), &raw mut before);
            let _ = BEFORE.set(before);
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = on_sigbus as extern "C" fn(i32, *mut libc::siginfo_t, *mut c_void) as usize;
            // ONSTACK: the thread may be near the end of its stack.
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            libc::sigemptyset(&raw mut action.sa_mask);
            match libc::sigaction(libc::SIGBUS, &raw const action, std::ptr::null_mut()) {
                0 => Ok(()),
                _ => Err(io::Error::last_os_error().raw_os_error().unwrap_or(0)),
            }
        }
    });
    installed.map_err(io::Error::from_raw_os_error)
}

/// Raises the limit on open files as far as the system allows. Each mapping holds one, and the usual limit is less than the
/// shards of a large pack. If the limit is still too low, the error names the first shard too many, with the system's
/// reason.
fn allow_more_files() {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: both calls get a structure that lives on this stack.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
        }
    }
}

/// The signal handler. It does not allocate, lock or panic.
extern "C" fn on_sigbus(signal: i32, info: *mut libc::siginfo_t, _context: *mut c_void) {
    // SAFETY: with SA_SIGINFO the kernel passes a valid siginfo, and si_addr is valid for SIGBUS. errno is this thread's.
    let (address, errno) = unsafe { ((*info).si_addr() as usize, *libc::__errno_location()) };
    // SAFETY: as above.
    let is_fault = unsafe { (*info).si_code } > 0;
    if !(is_fault && patch(address)) {
        // Not ours: restore the previous handler. A fault occurs again on return; a signal that was sent is raised again.
        // SAFETY: sigaction and raise may be called in a handler; BEFORE was set before the handler was installed.
        unsafe {
            if let Some(before) = BEFORE.get() {
                libc::sigaction(libc::SIGBUS, &raw const *before, std::ptr::null_mut());
            }
            if !is_fault {
                libc::raise(signal);
            }
        }
    }
    // SAFETY: the interrupted code must find errno unchanged.
    unsafe { *libc::__errno_location() = errno };
}

/// Replaces the page at `address` by zeros if it belongs to one of our mappings.
fn patch(address: usize) -> bool {
    let size = PAGE.load(SeqCst);
    let page = address & !(size - 1);
    for slot in &TABLE {
        let start = slot.start.load(SeqCst);
        let end = slot.end.load(SeqCst);
        // Load `start` again: the slot may be changing hands. The slot that faulted cannot, because its reader holds the
        // mapping.
        if start == 0 || address < start || address >= end || slot.start.load(SeqCst) != start {
            continue;
        }
        // Stored before the page is replaced: a thread that sees the zeros must see this too.
        slot.broken_at.fetch_min(page - start, SeqCst);
        // SAFETY: the page lies wholly in one of our mappings (mmap gives whole pages). At this moment nobody can read or
        // write it without the same fault. MAP_FIXED replaces exactly this page.
        let got = unsafe {
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
            libc::mmap(page as *mut c_void, size, libc::PROT_READ, flags, -1, 0)
        };
        return got != libc::MAP_FAILED;
    }
    false
}

impl std::fmt::Debug for Mapping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mapping({}, fd {})", self.path.display(), self.file.as_raw_fd())
    }
}
