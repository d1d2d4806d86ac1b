//! TOML as a tree. Every value knows where it was written, so that each complaint can name the line.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeFloat, DeTable, DeValue};

use super::errors::{ConfigError, Errors, short};
use super::origin::Origin;

/// The deepest nesting of tables and lists. No key needs a fifth of it, and walking a tree takes a call per level.
const DEPTH: usize = 32;
const TOO_DEEP: &str = "nested more than 32 levels deep, which no key of the configuration needs";

/// A value and where it was written.
#[derive(Clone, Debug)]
pub struct Node {
    /// The value.
    pub value: Tree,
    /// Its origin.
    pub origin: Origin,
}

/// The shapes of TOML that the configuration uses.
#[derive(Clone, Debug)]
pub enum Tree {
    /// `true`, `false`.
    Bool(bool),
    /// An integer.
    Integer(i64),
    /// A number with a point or an exponent.
    Float(f64),
    /// A number that does not fit 64 bits, as it was written.
    Beyond(String),
    /// A string.
    String(String),
    /// A list.
    Array(Vec<Node>),
    /// A table, by key.
    Table(BTreeMap<String, Node>),
}

impl Node {
    /// Parses a whole document. Every syntax error is reported, with its line.
    pub fn parse(text: &str, errors: &mut Errors) -> Node {
        let lines = Lines::new(text);
        let (table, faults) = DeTable::parse_recoverable(text);
        for fault in faults {
            let origin = lines.at(fault.span().map_or(0, |span| span.start));
            errors.push(ConfigError::new(origin, "", fault.message().to_string()));
        }
        Node {
            value: Reader::new(&|at| lines.at(at), errors).table(table.get_ref(), 0),
            origin: Origin::Line(1),
        }
    }

    /// Overrides the file by `--set a.b=v`. `v` is parsed as TOML, or taken as a string if it is not TOML.
    pub fn set(&mut self, assignment: &str, errors: &mut Errors) {
        let Some((key, value)) = assignment.split_once('=') else {
            let hint = format!("`{}` is not KEY=VALUE, as in --set solver.lr=0.01", short(assignment));
            return errors.push(ConfigError::new(Origin::Set, assignment, hint));
        };
        let keys: Vec<&str> = key.trim().split('.').take(DEPTH + 1).collect();
        if keys.len() > DEPTH {
            return errors.push(ConfigError::new(Origin::Set, assignment, TOO_DEEP));
        }
        let value = match DeValue::parse(value.trim()) {
            Ok(parsed) => Reader::new(&|_| Origin::Set, errors).tree(parsed.get_ref(), Origin::Set, 0),
            Err(_) => Tree::String(value.trim().to_string()),
        };
        let mut place = self;
        for key in &keys {
            let Tree::Table(table) = &mut place.value else {
                let hint = format!("`{}` is inside a value that is not a table", short(key));
                return errors.push(ConfigError::new(Origin::Set, assignment, hint));
            };
            place = table.entry((*key).to_string()).or_insert_with(|| Node {
                value: Tree::Table(BTreeMap::new()),
                origin: Origin::Set,
            });
        }
        *place = Node {
            value,
            origin: Origin::Set,
        };
    }

    /// The origin of the value at the dotted path `key`, or else of the nearest table around it.
    pub fn origin_of(&self, key: &str) -> Origin {
        let mut node = self;
        for name in key.split('.') {
            match &node.value {
                Tree::Table(table) if table.contains_key(name) => node = &table[name],
                _ => break,
            }
        }
        node.origin.clone()
    }

    /// Notes that this value is not of the expected kind.
    pub fn unexpected(&self, key: &str, expected: &str, errors: &mut Errors) {
        let shown = match &self.value {
            Tree::String(text) => format!("{:?}", short(text)),
            Tree::Integer(number) => number.to_string(),
            Tree::Float(number) => number.to_string(),
            Tree::Beyond(text) => short(text).into_owned(),
            Tree::Bool(flag) => flag.to_string(),
            Tree::Array(_) | Tree::Table(_) => self.kind().to_string(),
        };
        let message = format!("expected {expected}, found {shown}");
        errors.push(ConfigError::new(self.origin.clone(), key, message));
    }

    /// The name of this kind of value in messages.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Tree::Bool(_) => "a boolean",
            Tree::Integer(_) => "an integer",
            Tree::Float(_) | Tree::Beyond(_) => "a number",
            Tree::String(_) => "a string",
            Tree::Array(_) => "a list",
            Tree::Table(_) => "a table",
        }
    }
}

/// The offsets at which lines begin, except the first line.
struct Lines(Vec<usize>);

impl Lines {
    fn new(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(at, _)| at + 1).collect())
    }

    /// The line of the byte `at`.
    fn at(&self, at: usize) -> Origin {
        Origin::Line(1 + self.0.partition_point(|start| *start <= at))
    }
}

/// Converts the TOML library's result to nodes.
struct Reader<'a> {
    /// The origin of a position in the text.
    origin: &'a dyn Fn(usize) -> Origin,
    errors: &'a mut Errors,
}

impl<'a> Reader<'a> {
    fn new(origin: &'a dyn Fn(usize) -> Origin, errors: &'a mut Errors) -> Self {
        Self { origin, errors }
    }

    /// Converts a table nested in `depth` others.
    fn table(&mut self, table: &DeTable<'_>, depth: usize) -> Tree {
        let entries = table.iter().map(|(key, value)| {
            let origin = (self.origin)(key.span().start);
            (key.get_ref().to_string(), self.node(value, origin, depth))
        });
        Tree::Table(entries.collect())
    }

    fn node(&mut self, value: &Spanned<DeValue<'_>>, origin: Origin, depth: usize) -> Node {
        Node {
            value: self.tree(value.get_ref(), origin.clone(), depth + 1),
            origin,
        }
    }

    fn tree(&mut self, value: &DeValue<'_>, origin: Origin, depth: usize) -> Tree {
        match value {
            DeValue::Boolean(flag) => Tree::Bool(*flag),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(integer) => Tree::Integer(integer),
                Err(_) => Tree::Beyond(number.as_str().to_string()),
            },
            DeValue::Float(number) => float(number),
            DeValue::String(text) => Tree::String(text.to_string()),
            DeValue::Datetime(date) => Tree::String(date.to_string()),
            DeValue::Array(_) | DeValue::Table(_) if depth > DEPTH => {
                self.errors.push(ConfigError::new(origin, "", TOO_DEEP));
                Tree::Array(Vec::new())
            }
            DeValue::Array(items) => {
                let items = items.iter().map(|item| {
                    let origin = (self.origin)(item.span().start);
                    self.node(item, origin, depth)
                });
                Tree::Array(items.collect())
            }
            DeValue::Table(table) => self.table(table, depth),
        }
    }
}

/// A number with a point: the nearest in 64 bits, or the original text if that would be infinite.
fn float(number: &DeFloat<'_>) -> Tree {
    let text = number.as_str();
    let parsed: f64 = text.parse().unwrap_or(f64::NAN);
    if parsed.is_infinite() && text.contains(|c: char| c.is_ascii_digit()) {
        Tree::Beyond(text.to_string())
    } else {
        Tree::Float(parsed)
    }
}
