//! Plans: their numbers are correct, and the workers that they allow fit into memory.

mod memory_budget;
mod numbers;

#[path = "../given/mod.rs"]
#[allow(dead_code, reason = "each test target uses its part")]
mod given;
#[path = "../config/keys.rs"]
#[allow(dead_code, reason = "each test target uses its part")]
mod keys;
