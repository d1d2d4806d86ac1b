//! Names that people give to the parts of a data set.

/// What a part is for, by its name. Folders all named so are not classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SplitName {
    /// To learn from.
    Train,
    /// To measure errors on while training.
    Validation,
    /// To measure errors on at the end.
    Test,
}

impl SplitName {
    /// The part that is called `name`, in any case; `None` where that is no such name.
    pub fn of(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "train" | "training" => Some(Self::Train),
            "val" | "valid" | "validation" | "dev" => Some(Self::Validation),
            "test" | "testing" => Some(Self::Test),
            _ => None,
        }
    }
}
