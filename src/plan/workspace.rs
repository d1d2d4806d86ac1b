//! Memory that decode workers work in. The sizes of the images decide, so a part of them is looked at.

use crate::dataset::Dataset;
use crate::stages::decode::{Decoder, Options, Region};

/// Images whose headers are read.
const LOOKED_AT: usize = 256;

/// Bytes that one decode worker holds at the largest image of `data` (of those looked at): its file, where it is read and not
/// mapped, and its pixels, whole.
pub fn of_one_decoder(data: &Dataset) -> u64 {
    let files = if data.is_mapped() {
        0
    } else {
        (0..data.len()).map(|i| data.bytes(i)).max().unwrap_or(0)
    };
    let Ok(mut decoder) = Decoder::new(Options::default()) else {
        return files;
    };
    let mut scratch = Vec::new();
    let step = data.len().div_ceil(LOOKED_AT);
    let pixels = (0..data.len()).step_by(step).filter_map(|i| {
        // What cannot be read needs no memory; the run will say what is wrong.
        let frame = decoder.open(data.read(i, &mut scratch).ok()?).ok()?;
        Some(Region::whole(frame).bytes() as u64)
    });
    files + pixels.max().unwrap_or(0)
}
