//! The TOML of a run.

pub mod model;

pub mod solver;
