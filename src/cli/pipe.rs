//! Standard output to a pipe whose reader exits early, like `head`.

/// Lets a write to such a pipe end the process silently, like other Unix tools. Rust's start-up code ignores the signal
/// instead. That is right for a command whose purpose is not its output: it continues without the lines.
pub(super) fn end_with_its_reader() {
    // SAFETY: called before any other thread starts, and the default action is not a function of ours.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
}
