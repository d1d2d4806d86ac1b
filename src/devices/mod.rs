//! What computes: the CPU's threads and their scratch memory.

pub mod cpu;
