//! Augmentation: what is drawn (the rule) and what is written (the row).

mod row;
mod rule;
