//! Names that people give to the parts of a data set.

/// The purpose of a part, by its name. If all folders are named like this, they are not classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SplitName {
    /// For training.
    Train,
    /// For validation during training.
    Validation,
    /// For a test at the end.
    Test,
}

impl SplitName {
    /// The part called `name`, in any case; `None` if the name is not one of them.
    pub fn of(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "train" | "training" => Some(Self::Train),
            "val" | "valid" | "validation" | "dev" => Some(Self::Validation),
            "test" | "testing" => Some(Self::Test),
            _ => None,
        }
    }
}
