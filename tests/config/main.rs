//! Configurations that nobody should write: they are read in time, refused with the key and its line, or they come back as they
//! were written.
#![allow(clippy::unwrap_used, reason = "all of this crate is tests")]

mod bombs;
mod causes;
mod home;
mod keys;
mod ranges;

use pipeline::config::Config;

/// The least that a configuration must say.
const LEAST: &str = "[data]\ntrain = \"photos\"\n[model]\npreset = \"alexnet-small\"\n";

/// Reads `text` with `sets` over it.
fn parse(text: &str, sets: &[String]) -> Result<Config, String> {
    Config::parse("t.toml", text, sets).map_err(|invalid| invalid.to_string())
}

/// What is wrong with the least configuration when one key is set.
fn refusal(set: &str) -> String {
    match parse(LEAST, &[set.to_string()]) {
        Ok(_) => panic!("{set} is accepted"),
        Err(text) => text,
    }
}
