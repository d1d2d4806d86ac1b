//! How each type of value is read from the TOML and written back.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use super::errors::{ConfigError, Errors, nearest, short};
use super::node::{Node, Tree};
use super::range::Range;

/// The most items in a list: layers, devices and epochs are far fewer.
const LONGEST: usize = 1000;

/// A type that can be the value of a key.
pub trait Value: Sized {
    /// Reads `node` at the dotted path `key`. Faults go to `errors`.
    fn read(node: &Node, key: &str, errors: &mut Errors) -> Option<Self>;
    /// The value as TOML, on one line.
    fn write(&self) -> String;
}

/// A table being read. Each key is asked for once; the others are unknown.
pub struct TableReader<'a> {
    table: &'a BTreeMap<String, Node>,
    node: &'a Node,
    path: String,
    known: Vec<&'static str>,
    errors: &'a mut Errors,
}

impl<'a> TableReader<'a> {
    /// Begins to read the table `node` at the dotted path `path`.
    pub fn new(node: &'a Node, path: &str, errors: &'a mut Errors) -> Option<Self> {
        if let Tree::Table(table) = &node.value {
            return Some(Self {
                table,
                node,
                path: path.to_string(),
                known: Vec::new(),
                errors,
            });
        }
        mismatch(node, path, "a table", errors)
    }

    /// The value of `name`, or `None` if the key is absent or wrong. A wrong key is noted as an error.
    pub fn optional<T: Value>(&mut self, name: &'static str, range: Range) -> Option<T> {
        self.known.push(name);
        let node = self.table.get(name)?;
        let key = join(&self.path, name);
        if !range.admits(node, &key, self.errors) {
            return None;
        }
        T::read(node, &key, self.errors)
    }

    /// The value of `name`, or the default.
    pub fn or<T: Value>(&mut self, name: &'static str, default: T, range: Range) -> T {
        self.optional(name, range).unwrap_or(default)
    }

    /// The value of `name`; its absence is an error.
    pub fn required<T: Value>(&mut self, name: &'static str, range: Range) -> Option<T> {
        if !self.table.contains_key(name) {
            self.known.push(name);
            self.complain(&format!("`{name}` is missing"));
            return None;
        }
        self.optional(name, range)
    }

    /// Notes an error of the table as a whole.
    pub fn complain(&mut self, message: &str) {
        self.errors
            .push(ConfigError::new(self.node.origin.clone(), &self.path, message));
    }

    /// Ends reading: every key that was not asked for is unknown.
    pub fn finish(self) {
        for (name, node) in self.table {
            if self.known.contains(&name.as_str()) {
                continue;
            }
            let hint = match nearest(name, self.known.iter().copied()) {
                Some(meant) => format!("unknown key; did you mean `{}`?", short(&join(&self.path, meant))),
                None => format!("unknown key; known keys: {}", self.known.join(", ")),
            };
            self.errors
                .push(ConfigError::new(node.origin.clone(), &join(&self.path, name), hint));
        }
    }
}

/// The dotted path of `name` inside `path`.
pub fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_string()
    } else {
        format!("{path}.{name}")
    }
}

/// Notes that `node` is not of the expected kind. Returns `None`.
pub fn mismatch<T>(node: &Node, key: &str, expected: &str, errors: &mut Errors) -> Option<T> {
    node.unexpected(key, expected, errors);
    None
}

impl Value for bool {
    fn read(node: &Node, key: &str, errors: &mut Errors) -> Option<Self> {
        match node.value {
            Tree::Bool(flag) => Some(flag),
            _ => mismatch(node, key, "true or false", errors),
        }
    }
    fn write(&self) -> String {
        self.to_string()
    }
}

macro_rules! integer {
    ($type:ty, $expected:literal) => {
        impl Value for $type {
            fn read(node: &Node, key: &str, errors: &mut Errors) -> Option<Self> {
                match node.value {
                    Tree::Integer(number) => <$type>::try_from(number).ok(),
                    _ => None,
                }
                .or_else(|| mismatch(node, key, $expected, errors))
            }
            fn write(&self) -> String {
                self.to_string()
            }
        }
    };
}
integer!(u64, "a whole number, 0 or more");
integer!(u32, "a whole number, 0 or more");
integer!(usize, "a whole number, 0 or more");

impl Value for NonZeroUsize {
    fn read(node: &Node, key: &str, errors: &mut Errors) -> Option<Self> {
        match node.value {
            Tree::Integer(number) => usize::try_from(number).ok().and_then(NonZeroUsize::new),
            _ => None,
        }
        .or_else(|| mismatch(node, key, "a whole number, 1 or more", errors))
    }
    fn write(&self) -> String {
        self.to_string()
    }
}

/// Whether 32 bits can hold a number close to `number`: not infinity, and not 0 or a subnormal number with most digits lost.
fn has_place(number: f64) -> bool {
    number == 0.0 || (number as f32).is_normal()
}

impl Value for f32 {
    fn read(node: &Node, key: &str, errors: &mut Errors) -> Option<Self> {
        match node.value {
            Tree::Integer(number) => Some(number as f32),
            Tree::Float(number) if has_place(number) => Some(number as f32),
            Tree::Float(_) | Tree::Beyond(_) => mismatch(node, key, "a number that fits in 32 bits", errors),
            _ => mismatch(node, key, "a number", errors),
        }
    }
    fn write(&self) -> String {
        format!("{self:?}")
    }
}

impl Value for String {
    fn read(node: &Node, key: &str, errors: &mut Errors) -> Option<Self> {
        match &node.value {
            Tree::String(text) => Some(text.clone()),
            _ => mismatch(node, key, "a string", errors),
        }
    }
    fn write(&self) -> String {
        toml::Value::String(self.clone()).to_string()
    }
}

impl Value for PathBuf {
    fn read(node: &Node, key: &str, errors: &mut Errors) -> Option<Self> {
        String::read(node, key, errors).map(PathBuf::from)
    }
    fn write(&self) -> String {
        self.to_string_lossy().into_owned().write()
    }
}

impl<T: Value> Value for Vec<T> {
    fn read(node: &Node, key: &str, errors: &mut Errors) -> Option<Self> {
        let Tree::Array(items) = &node.value else {
            return mismatch(node, key, "a list", errors);
        };
        if items.len() > LONGEST {
            let message = format!("the list has {} items, more than the limit of {LONGEST}", items.len());
            errors.push(ConfigError::new(node.origin.clone(), key, message));
            return None;
        }
        // Every item is read before returning, so that all errors are noted.
        let read: Vec<Option<T>> = items
            .iter()
            .enumerate()
            .map(|(i, item)| T::read(item, &format!("{key}[{i}]"), errors))
            .collect();
        read.into_iter().collect()
    }
    fn write(&self) -> String {
        format!("[{}]", self.iter().map(Value::write).collect::<Vec<_>>().join(", "))
    }
}

impl<T: Value, const N: usize> Value for [T; N] {
    fn read(node: &Node, key: &str, errors: &mut Errors) -> Option<Self> {
        let read: Vec<T> = Value::read(node, key, errors)?;
        read.try_into()
            .ok()
            .or_else(|| mismatch(node, key, &format!("a list of {N} items"), errors))
    }
    fn write(&self) -> String {
        format!("[{}]", self.iter().map(Value::write).collect::<Vec<_>>().join(", "))
    }
}

/// Declares a table of the TOML: the struct, and how it is read and written. An `Option` key is written only if it is set.
/// The expression after `=>` is the range of a number.
macro_rules! table {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $key:ident : $type:ty = $default:expr $(=> $range:expr)?,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name { $($(#[$doc])* pub $key: $type,)* }

        impl Default for $name {
            fn default() -> Self { Self { $($key: $default,)* } }
        }

        impl $crate::config::value::Value for $name {
            fn read(
                node: &$crate::config::node::Node, key: &str, errors: &mut $crate::config::errors::Errors,
            ) -> Option<Self> {
                let mut table = $crate::config::value::TableReader::new(node, key, errors)?;
                let read = Self { $($key: {
                    let range = [$($range,)? $crate::config::range::Range::ANY][0];
                    $crate::config::value::Key::take(&mut table, stringify!($key), $default, range)
                },)* };
                table.finish();
                Some(read)
            }
            fn write(&self) -> String {
                let keys: Vec<String> =
                    self.keys().into_iter().map(|(key, value)| format!("{key} = {value}")).collect();
                format!("{{ {} }}", keys.join(", "))
            }
        }

        impl $name {
            /// The names of all its keys.
            pub const KEYS: &'static [&'static str] = &[$(stringify!($key)),*];

            /// Every key that is set, with its value as TOML, in declaration order.
            pub fn keys(&self) -> Vec<(&'static str, String)> {
                let mut keys = Vec::new();
                $(if let Some(value) = $crate::config::value::Key::shown(&self.$key) { keys.push((stringify!($key), value)); })*
                keys
            }
        }
    };
}
pub(crate) use table;

/// How a field of a table is read from its key: optional fields may be absent, others have a default.
pub trait Key: Sized {
    /// Reads the key, whose numbers must be in `range`. Returns `default` if it is absent or wrong.
    fn take(table: &mut TableReader<'_>, name: &'static str, default: Self, range: Range) -> Self;
    /// The value as TOML; `None` if the key is to be left out.
    fn shown(&self) -> Option<String>;
}

impl<T: Value> Key for T {
    fn take(table: &mut TableReader<'_>, name: &'static str, default: Self, range: Range) -> Self {
        table.or(name, default, range)
    }
    fn shown(&self) -> Option<String> {
        Some(self.write())
    }
}

impl<T: Value> Key for Option<T> {
    fn take(table: &mut TableReader<'_>, name: &'static str, default: Self, range: Range) -> Self {
        table.optional(name, range).or(default)
    }
    fn shown(&self) -> Option<String> {
        self.as_ref().map(Value::write)
    }
}

/// Declares an enum whose values are words: `choice! { Pick { One = "one", Two = "two" } }`.
macro_rules! choice {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// The word for it.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl $crate::config::value::Value for $name {
            fn read(
                node: &$crate::config::node::Node, key: &str, errors: &mut $crate::config::errors::Errors,
            ) -> Option<Self> {
                match &node.value {
                    $($crate::config::node::Tree::String(word) if word == $word => Some(Self::$variant),)*
                    _ => $crate::config::value::mismatch(
                        node, key, &format!("one of {}", [$(concat!('"', $word, '"')),*].join(", ")), errors),
                }
            }
            fn write(&self) -> String {
                format!("\"{}\"", self.word())
            }
        }
    };
}
pub(crate) use choice;
