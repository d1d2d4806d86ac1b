//! What follows a sum.

/// What is done with a sum before it is written.
#[derive(Clone, Copy)]
pub struct Epilogue<'a> {
    /// b, added per output channel; `None`: nothing.
    pub bias: Option<&'a [f32]>,
    /// Whether max(0, sum) is written.
    pub rectify: bool,
}

impl Epilogue<'_> {
    /// The sum is written as it is.
    pub const NONE: Self = Self {
        bias: None,
        rectify: false,
    };
}
