//! The processor time of this process.

use std::time::Duration;

/// Time that all threads of the process have run so far, including time in the kernel.
pub fn cpu_time() -> Duration {
    // SAFETY: all fields are integers, for which zero is valid.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to our own, whole `rusage`.
    let code = unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) };
    debug_assert_eq!(code, 0, "both arguments are valid");
    let of = |time: libc::timeval| Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000);
    of(usage.ru_utime) + of(usage.ru_stime)
}
