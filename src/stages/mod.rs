//! stages
pub mod decode;
