//! Reads and writes `solver.schedule`: `{ kind = "multistep", epochs = [30, 60], factor = 0.1 }`, or only the kind when the
//! defaults suffice.

use std::collections::BTreeMap;

use super::errors::{ConfigError, Errors, nearest, short};
use super::node::{Node, Tree};
use super::origin::Origin;
use super::range::{EPOCHS, MAX_EPOCHS, Range};
use super::solver::Schedule;
use super::value::{TableReader, Value};

const KINDS: [&str; 7] = [
    "constant",
    "step",
    "multistep",
    "polynomial",
    "exponential",
    "cosine",
    "plateau",
];

/// Factors of the learning rate, which are never negative.
const FACTOR: Range = Range::between(0.0, 1000.0);

/// Epochs from 0, evaluations or changes.
const COUNT: Range = Range::whole(0, MAX_EPOCHS);

impl Value for Schedule {
    fn read(node: &Node, key: &str, errors: &mut Errors) -> Option<Self> {
        if let Tree::String(kind) = &node.value {
            let word = Node {
                value: Tree::String(kind.clone()),
                origin: node.origin.clone(),
            };
            let table = Tree::Table(BTreeMap::from([("kind".to_string(), word)]));
            return Self::read(
                &Node {
                    value: table,
                    origin: node.origin.clone(),
                },
                key,
                errors,
            );
        }
        let mut table = TableReader::new(node, key, errors)?;
        let kind: String = table.required("kind", Range::ANY)?;
        let schedule = match kind.as_str() {
            "constant" => Some(Schedule::Constant),
            "step" => {
                let every_epochs = table.required("every_epochs", EPOCHS);
                let factor = table.or("factor", 0.1, FACTOR);
                every_epochs.map(|every_epochs| Schedule::Step { every_epochs, factor })
            }
            "multistep" => {
                let epochs = table.required("epochs", COUNT);
                let factor = table.or("factor", 0.1, FACTOR);
                epochs.map(|epochs| Schedule::Multistep { epochs, factor })
            }
            "polynomial" => Some(Schedule::Polynomial {
                power: table.or("power", 1.0, Range::between(0.0, 1000.0)),
            }),
            "exponential" => table
                .required("factor", FACTOR)
                .map(|factor| Schedule::Exponential { factor }),
            "cosine" => Some(Schedule::Cosine),
            "plateau" => Some(Schedule::Plateau {
                factor: table.or("factor", 0.1, FACTOR),
                patience: table.or("patience", 5, COUNT),
                threshold: table.or("threshold", 0.001, Range::between(0.0, 1.0)),
                max_drops: table.or("max_drops", 3, COUNT),
            }),
            _ => return unknown_kind(&kind, node.origin.clone(), key, errors),
        };
        table.finish();
        schedule
    }

    fn write(&self) -> String {
        match self {
            Schedule::Constant => "{ kind = \"constant\" }".to_string(),
            Schedule::Step { every_epochs, factor } => {
                format!("{{ kind = \"step\", every_epochs = {every_epochs}, factor = {factor:?} }}")
            }
            Schedule::Multistep { epochs, factor } => {
                format!(
                    "{{ kind = \"multistep\", epochs = {}, factor = {factor:?} }}",
                    epochs.write()
                )
            }
            Schedule::Polynomial { power } => format!("{{ kind = \"polynomial\", power = {power:?} }}"),
            Schedule::Exponential { factor } => format!("{{ kind = \"exponential\", factor = {factor:?} }}"),
            Schedule::Cosine => "{ kind = \"cosine\" }".to_string(),
            Schedule::Plateau {
                factor,
                patience,
                threshold,
                max_drops,
            } => format!(
                "{{ kind = \"plateau\", factor = {factor:?}, patience = {patience}, threshold = {threshold:?}, \
                 max_drops = {max_drops} }}"
            ),
        }
    }
}

fn unknown_kind(kind: &str, origin: Origin, key: &str, errors: &mut Errors) -> Option<Schedule> {
    let meant = nearest(kind, KINDS).map_or(String::new(), |word| format!(" (did you mean \"{word}\"?)"));
    let message = format!(
        "unknown schedule {:?}{meant}; the schedules are {}",
        short(kind),
        KINDS.join(", ")
    );
    errors.push(ConfigError::new(origin, &format!("{key}.kind"), message));
    None
}
