//! The devices that a network can run on, by name.

use super::errors::Errors;
use super::node::{Node, Tree};
use super::value::{Value, mismatch};

/// A kind of device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A set of threads.
    Cpu,
    /// A GPU of NVIDIA's.
    Cuda,
}

/// The name of a device: its kind and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeviceName {
    kind: Kind,
    number: usize,
}

/// Names, by number. They have static lifetime, because stages are named after devices.
const CPUS: [&str; 16] = [
    "cpu:0", "cpu:1", "cpu:2", "cpu:3", "cpu:4", "cpu:5", "cpu:6", "cpu:7", "cpu:8", "cpu:9", "cpu:10", "cpu:11",
    "cpu:12", "cpu:13", "cpu:14", "cpu:15",
];
const GPUS: [&str; 16] = [
    "cuda:0", "cuda:1", "cuda:2", "cuda:3", "cuda:4", "cuda:5", "cuda:6", "cuda:7", "cuda:8", "cuda:9", "cuda:10",
    "cuda:11", "cuda:12", "cuda:13", "cuda:14", "cuda:15",
];

impl Kind {
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Cpu => &CPUS,
            Self::Cuda => &GPUS,
        }
    }

    /// `cpu` or `cuda`: what the stage of an only device is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
        }
    }
}

impl DeviceName {
    /// The first CPU.
    pub const CPU: Self = Self {
        kind: Kind::Cpu,
        number: 0,
    };

    /// The device of this kind and number; `None` if a run cannot have so many.
    pub fn new(kind: Kind, number: usize) -> Option<Self> {
        (number < kind.names().len()).then_some(Self { kind, number })
    }

    /// The device called `name`; `None` if no device can be called that.
    pub fn of(name: &str) -> Option<Self> {
        [Kind::Cpu, Kind::Cuda].into_iter().find_map(|kind| {
            let number = kind.names().iter().position(|known| *known == name)?;
            Some(Self { kind, number })
        })
    }

    /// Its kind.
    pub fn kind(self) -> Kind {
        self.kind
    }

    /// Its number among its kind, from 0.
    pub fn number(self) -> usize {
        self.number
    }

    /// Whether it is a GPU.
    pub fn is_gpu(self) -> bool {
        self.kind == Kind::Cuda
    }

    /// `cpu:0`, `cuda:0`, …
    pub fn as_str(self) -> &'static str {
        self.kind.names()[self.number]
    }
}

impl std::fmt::Display for DeviceName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// `"auto"` or a list of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Devices {
    /// The first GPU that can be used, or else the CPU.
    Auto,
    /// These, as they are written. [`Compute::check`](super::compute::Compute) looks whether they are names.
    Named(Vec<String>),
}

impl Devices {
    /// A list of these devices.
    pub fn named(names: impl IntoIterator<Item = DeviceName>) -> Self {
        Self::Named(names.into_iter().map(|name| name.to_string()).collect())
    }

    /// The devices of a list; `None` for `"auto"`.
    pub fn names(&self) -> Option<Vec<DeviceName>> {
        match self {
            Self::Auto => None,
            Self::Named(names) => Some(names.iter().filter_map(|name| DeviceName::of(name)).collect()),
        }
    }
}

impl Value for Devices {
    fn read(node: &Node, key: &str, errors: &mut Errors) -> Option<Self> {
        match &node.value {
            Tree::String(word) if word == "auto" => Some(Self::Auto),
            Tree::Array(_) => Value::read(node, key, errors).map(Self::Named),
            _ => mismatch(
                node,
                key,
                "\"auto\" or a list such as [\"cuda:0\"] or [\"cpu:0\"]",
                errors,
            ),
        }
    }
    fn write(&self) -> String {
        match self {
            Self::Auto => "\"auto\"".to_string(),
            Self::Named(names) => names.write(),
        }
    }
}
