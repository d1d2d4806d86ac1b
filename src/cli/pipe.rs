//! Standard output into a pipe whose reader leaves, as `head` does.

/// Lets a write into such a pipe end the process without a word, as it ends other Unix tools. Rust's start-up ignores the
/// signal instead, which is right for a command whose work is not what it prints: that goes on without its lines.
pub(super) fn end_with_its_reader() {
    // SAFETY: called before any other thread is started, and the default action is no function of ours.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
}
