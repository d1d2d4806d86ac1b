//! The network to measure: a preset on its usual data, or the network of a run.

use super::ComputeArgs;
use crate::cli::Failure;
use crate::cli::check::CLASSES;
use crate::config::Config;
use crate::config::errors::nearest;
use crate::dataset::Dataset;
use crate::model::presets::{self, Usual};
use crate::observe::terminal::tell;

/// The configuration to measure. A preset has its defaults, and images of the size that it is made for.
pub(super) fn config(args: &ComputeArgs, quiet: bool) -> Result<Config, Failure> {
    let text = match presets::usual(&args.model) {
        Some(usual) => of_preset(&args.model, usual),
        None => std::fs::read_to_string(&args.model).map_err(|error| unknown(&args.model, &error))?,
    };
    let mut sets = Vec::new();
    sets.extend(args.batch.map(|batch| format!("staging.batch={batch}")));
    sets.extend(args.threads.map(|threads| format!("compute.threads={threads}")));
    sets.extend_from_slice(&args.sets);
    if let Some(device) = &args.device {
        sets.push(format!("compute.devices=[{}]", toml::Value::String(device.clone())));
    }
    if let Ok(run) = Config::parse(&args.model, &text, &sets)
        && let Some([first, others @ ..]) = run.compute.devices.names().as_deref()
        && !others.is_empty()
    {
        if !quiet {
            let count = others.len() + 1;
            tell!("measuring one device with the whole network, although a run would use {count}");
        }
        sets.push(format!("compute.devices=[\"{first}\"]"));
    }
    Config::parse(&args.model, &text, &sets).map_err(Failure::usage)
}

/// A configuration must name data, although these are not read.
fn of_preset(name: &str, usual: Usual) -> String {
    let Usual { side, classes } = usual;
    format!("[data]\ntrain = \"random\"\n[augment]\ncrop = {side}\n[model]\npreset = \"{name}\"\nclasses = {classes}\n")
}

fn unknown(name: &str, error: &std::io::Error) -> Failure {
    let meant = nearest(name, presets::NAMES).map_or(String::new(), |meant| format!(" (did you mean {meant:?}?)"));
    Failure::Usage(format!(
        "--model {name}: no such preset{meant}; the presets are {}. It cannot be read as a configuration file either: {error}",
        presets::NAMES.join(", ")
    ))
}

/// The number of classes in the configuration, or in its data, or the number that `check` assumes.
pub(super) fn classes(config: &Config, quiet: bool) -> usize {
    if let Some(said) = config.model.classes {
        return said.get();
    }
    match Dataset::open(&config.data.train) {
        Ok(data) => data.classes().len(),
        Err(error) => {
            if !quiet {
                tell!(
                    "assuming {CLASSES} classes, because model.classes is not set and the data cannot be opened: {error}"
                );
            }
            CLASSES
        }
    }
}
