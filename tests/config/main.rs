//! Configurations that nobody should write: each is read quickly and either refused with its key and line or written back
//! unchanged.
#![allow(clippy::unwrap_used, reason = "all of this crate is tests")]

mod bombs;
mod causes;
mod home;
mod keys;
mod ranges;

use pipeline::config::Config;

/// The smallest complete configuration.
const LEAST: &str = "[data]\ntrain = \"photos\"\n[model]\npreset = \"alexnet-small\"\n";

/// Reads `text`, overridden by `sets`.
fn parse(text: &str, sets: &[String]) -> Result<Config, String> {
    Config::parse("t.toml", text, sets).map_err(|invalid| invalid.to_string())
}

/// The error for the smallest configuration with one key set.
fn refusal(set: &str) -> String {
    match parse(LEAST, &[set.to_string()]) {
        Ok(_) => panic!("{set} is accepted"),
        Err(text) => text,
    }
}
