//! How a worker ends, and which of several endings caused the others.

use std::fmt;

/// A channel was closed without being finished: a worker upstream was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpstreamLost {
    /// The channel.
    pub channel: &'static str,
}

/// Nobody receives from the channel any more: a worker downstream was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DownstreamGone {
    /// The channel.
    pub channel: &'static str,
}

/// Why a worker could not continue.
#[derive(Debug)]
pub enum Fault {
    /// The environment or the input is at fault. The text names what, and what to do.
    Failed(Box<dyn std::error::Error + Send + Sync>),
    /// Stopped before the end of data.
    Aborted,
    /// See [`UpstreamLost`].
    Upstream(UpstreamLost),
    /// See [`DownstreamGone`].
    Downstream(DownstreamGone),
}

impl Fault {
    /// A failure that `error` describes.
    pub fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Fault::Failed(error.into())
    }
}

impl From<UpstreamLost> for Fault {
    fn from(lost: UpstreamLost) -> Self {
        Fault::Upstream(lost)
    }
}

impl From<DownstreamGone> for Fault {
    fn from(gone: DownstreamGone) -> Self {
        Fault::Downstream(gone)
    }
}

/// How a worker's thread ended.
#[derive(Debug)]
pub enum Exit {
    /// At the end of data, with everything sent on.
    Drained,
    /// By a fault.
    Faulted(Fault),
    /// By a panic, with its message and place.
    Panicked(String),
}

impl Exit {
    /// Whether it is a cause. Losses and stops are consequences of something else.
    pub fn is_cause(&self) -> bool {
        matches!(self, Exit::Panicked(_) | Exit::Faulted(Fault::Failed(_)))
    }

    /// Of several endings, the most severe explains the others. The order of arrival is no evidence.
    pub fn severity(&self) -> u8 {
        match self {
            Exit::Panicked(_) => 4,
            Exit::Faulted(Fault::Failed(_)) => 3,
            Exit::Faulted(Fault::Aborted) => 2,
            Exit::Faulted(Fault::Upstream(_) | Fault::Downstream(_)) => 1,
            Exit::Drained => 0,
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exit::Drained => f.write_str("drained"),
            Exit::Faulted(Fault::Failed(error)) => write!(f, "{error}"),
            Exit::Faulted(Fault::Aborted) => f.write_str("stopped before the end of data"),
            Exit::Faulted(Fault::Upstream(lost)) => write!(f, "the stage that sends {} was lost", lost.channel),
            Exit::Faulted(Fault::Downstream(gone)) => write!(f, "the stage that takes {} was lost", gone.channel),
            Exit::Panicked(message) => write!(f, "panicked: {message}"),
        }
    }
}
