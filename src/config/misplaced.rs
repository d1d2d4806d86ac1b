//! Keys outside of their table, as in `--set lr=0.1` for `solver.lr`.

use super::errors::{ConfigError, Errors};
use super::node::{Node, Tree};
use super::value::join;
use super::{Config, augment, checkpoint, compute, data, decode, evaluate, model, observe, run, solver, staging};

/// The keys of each table.
const TABLES: [(&str, &[&str]); 11] = [
    ("run", run::Run::KEYS),
    ("data", data::Data::KEYS),
    ("decode", decode::Decode::KEYS),
    ("augment", augment::Augment::KEYS),
    ("staging", staging::Staging::KEYS),
    ("compute", compute::Compute::KEYS),
    ("model", model::Model::KEYS),
    ("solver", solver::Solver::KEYS),
    ("evaluate", evaluate::Evaluate::KEYS),
    ("checkpoint", checkpoint::Checkpoint::KEYS),
    ("observe", observe::Observe::KEYS),
];

/// Removes misplaced keys from `document`: those that are only known in another table. Notes where each belongs.
pub(super) fn take_out(document: &mut Node, errors: &mut Errors) {
    take_out_of(document, "", Config::KEYS, errors);
    let Tree::Table(tables) = &mut document.value else {
        return;
    };
    for (name, keys) in TABLES {
        if let Some(table) = tables.get_mut(name) {
            take_out_of(table, name, keys, errors);
        }
    }
}

/// Removes misplaced keys from the table at `path`, whose own keys are `known`.
fn take_out_of(node: &mut Node, path: &str, known: &[&str], errors: &mut Errors) {
    let Tree::Table(table) = &mut node.value else {
        return;
    };
    table.retain(|key, value| {
        let tables = TABLES.iter().filter(|(_, keys)| keys.contains(&key.as_str()));
        let places: Vec<String> = tables.map(|(table, _)| format!("`{table}.{key}`")).collect();
        if known.contains(&key.as_str()) || places.is_empty() {
            return true;
        }
        let message = format!("unknown key; did you mean {}?", places.join(" or "));
        errors.push(ConfigError::new(value.origin.clone(), &join(path, key), message));
        false
    });
}
