//! The paper's columns (section 3.2 and figure 2): every device has its share of each layer's outputs.
//!
//! * A convolution whose groups are a multiple of the devices has its own groups' inputs at hand: nothing is exchanged.
//! * A convolution of one group and a fully connected layer make their share of the outputs from all inputs, which are
//!   gathered before. Backward, each device has a part of their gradient's sum.
//! * Response normalisation looks at channels of the neighbours: so many of them are fetched that forward and backward pass
//!   have what they need.
//! * Everything else works channel by channel.
//!
//! A device's network is one of its own with [`Reshard`]s where maps change hands. Its numbers are those of the whole network but
//! for the order in which a gradient is summed over devices.

mod reshard;
mod split;
mod resharder;

pub use reshard::{Kind, Reshard};
pub use resharder::{Columns, Images, Operands, Resharder, Whole};
