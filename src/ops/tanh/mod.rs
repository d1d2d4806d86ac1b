//! Hyperbolic tangent: y = tanh(x); dx = dy · (1 − y²). The baseline of the paper's figure 1. In place.

pub mod cpu;
