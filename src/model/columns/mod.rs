//! The paper's columns (section 3.2 and figure 2), today called tensor parallelism: every device computes its share of each
//! layer's outputs.
//!
//! * If the number of groups of a convolution is a multiple of the devices, its inputs are on the same device, and nothing is
//!   exchanged.
//! * A convolution of one group and a fully connected layer need all inputs for their share of the outputs, so these are
//!   gathered first. Backward, each device has a partial sum of the inputs' gradient.
//! * Response normalisation reads channels of the neighbours. As many are fetched as the forward and the backward pass need.
//! * Everything else works channel by channel.
//!
//! Each device has its own network, with [`Reshard`]s where maps are exchanged. It computes the same numbers as the whole
//! network, except for the order in which gradients are summed over devices.

mod reshard;
mod split;

pub use reshard::{Kind, Reshard};
