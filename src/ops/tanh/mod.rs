//! Hyperbolic tangent: y = tanh(x); dx = dy · (1 − y²). In place. The baseline in the paper's figure 1.

pub mod cpu;
pub mod cuda;
