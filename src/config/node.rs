//! TOML as a tree in which every value knows where it was written, so that each complaint can name the line.

use std::collections::BTreeMap;
use std::fmt;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::errors::{ConfigError, Errors};

/// Where a value was written.
#[derive(Clone, Debug, PartialEq)]
pub enum Origin {
    /// In the file, on this line (from 1).
    Line(usize),
    /// On the command line, by `--set`.
    Set,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Line(line) => write!(f, "line {line}"),
            Origin::Set => f.write_str("--set"),
        }
    }
}

/// A value and where it was written.
#[derive(Clone, Debug)]
pub struct Node {
    /// What was written.
    pub value: Tree,
    /// Where.
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
    /// A string.
    String(String),
    /// A list.
    Array(Vec<Node>),
    /// A table, by key.
    Table(BTreeMap<String, Node>),
}

impl Node {
    /// Reads a whole document; every syntax error is reported, with its line.
    pub fn parse(text: &str, errors: &mut Errors) -> Node {
        let (table, faults) = DeTable::parse_recoverable(text);
        for fault in faults {
            let origin = Origin::Line(fault.span().map_or(1, |span| line_of(text, span.start)));
            errors.push(ConfigError::new(origin, "", fault.message().to_string()));
        }
        Node {
            value: table_tree(table.get_ref(), &|at| Origin::Line(line_of(text, at))),
            origin: Origin::Line(1),
        }
    }

    /// Puts `--set a.b=v` over what the file says. `v` is read as TOML, or as a string where it is none.
    pub fn set(&mut self, assignment: &str, errors: &mut Errors) {
        let Some((key, value)) = assignment.split_once('=') else {
            let hint = format!("`{assignment}` is not KEY=VALUE, as in --set solver.lr=0.01");
            return errors.push(ConfigError::new(Origin::Set, assignment, hint));
        };
        let value = match DeValue::parse(value.trim()) {
            Ok(parsed) => tree(parsed.get_ref(), &|_| Origin::Set),
            Err(_) => Tree::String(value.trim().to_string()),
        };
        let keys: Vec<&str> = key.trim().split('.').collect();
        let mut place = self;
        for key in &keys {
            let Tree::Table(table) = &mut place.value else {
                let hint = format!("`{key}` is inside a value that is no table");
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

    /// Where the value at the dotted path `key` was written, or else the nearest table around it.
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

    /// What a message calls this kind of value.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Tree::Bool(_) => "a boolean",
            Tree::Integer(_) => "an integer",
            Tree::Float(_) => "a number",
            Tree::String(_) => "a string",
            Tree::Array(_) => "a list",
            Tree::Table(_) => "a table",
        }
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at.min(text.len())].matches('\n').count() + 1
}

fn table_tree(table: &DeTable<'_>, origin: &dyn Fn(usize) -> Origin) -> Tree {
    let entry = |(key, value): (&Spanned<std::borrow::Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
        let node = Node {
            value: tree(value.get_ref(), origin),
            origin: origin(key.span().start),
        };
        (key.get_ref().to_string(), node)
    };
    Tree::Table(table.iter().map(entry).collect())
}

fn tree(value: &DeValue<'_>, origin: &dyn Fn(usize) -> Origin) -> Tree {
    match value {
        DeValue::Boolean(flag) => Tree::Bool(*flag),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(integer) => Tree::Integer(integer),
            Err(_) => Tree::Float(f64::INFINITY),
        },
        DeValue::Float(number) => Tree::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::String(text) => Tree::String(text.to_string()),
        DeValue::Datetime(date) => Tree::String(date.to_string()),
        DeValue::Array(items) => Tree::Array(
            items
                .iter()
                .map(|item| Node {
                    value: tree(item.get_ref(), origin),
                    origin: origin(item.span().start),
                })
                .collect(),
        ),
        DeValue::Table(table) => table_tree(table, origin),
    }
}
