//! Looks at the images of a data set: their sizes, and how far their pixels are from the mean.

use super::ProposalError;
use crate::dataset::Dataset;
use crate::stages::decode::{Decoder, Options, Region};

/// The number of images to look at: some megabytes each, at most.
const LOOKED_AT: usize = 64;

/// The side at which contrast is measured, which is about that of the network's input.
const SIDE: u32 = 96;

/// What some of a data set's images look like.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// How many could be decoded.
    pub images: usize,
    /// How many could not.
    pub refused: usize,
    /// Their shorter sides in pixels, in rising order.
    pub sides: Vec<u32>,
    /// Whether all are squares of one size.
    pub is_uniform: bool,
    /// Standard deviation of all their pixels, on 0..255.
    pub std: f64,
}

impl Seen {
    /// The shortest of the shorter sides.
    pub fn least(&self) -> u32 {
        self.sides.first().copied().unwrap_or(0)
    }

    /// The median of the shorter sides.
    pub fn median(&self) -> u32 {
        self.sides.get(self.sides.len() / 2).copied().unwrap_or(0)
    }

    /// The longest of the shorter sides.
    pub fn greatest(&self) -> u32 {
        self.sides.last().copied().unwrap_or(0)
    }
}

/// Sums of pixels, by channel.
#[derive(Default)]
struct Sums {
    pixels: u64,
    values: [u64; 3],
    squares: [u64; 3],
}

impl Sums {
    fn add(&mut self, rgb: &[u8]) {
        for pixel in rgb.chunks_exact(3) {
            self.pixels += 1;
            for (channel, &value) in pixel.iter().enumerate() {
                self.values[channel] += u64::from(value);
                self.squares[channel] += u64::from(value) * u64::from(value);
            }
        }
    }

    /// The deviation from the mean of each channel, over all channels together.
    fn std(&self) -> f64 {
        let count = self.pixels.max(1) as f64;
        let variance = |channel: usize| {
            let mean = self.values[channel] as f64 / count;
            self.squares[channel] as f64 / count - mean * mean
        };
        ((variance(0) + variance(1) + variance(2)) / 3.0).max(0.0).sqrt()
    }
}

/// Looks at images spread over all of `data`.
pub(super) fn look(data: &Dataset) -> Result<Seen, ProposalError> {
    let undecodable = |sample: usize, reason: String| ProposalError::Undecodable {
        sample: data.where_is(sample),
        reason,
        looked_at: data.len().min(LOOKED_AT),
    };
    let options = Options {
        shorter_side: Some(SIDE),
        ..Options::default()
    };
    let decoders = Decoder::new(Options::default()).and_then(|stored| Ok((stored, Decoder::new(options)?)));
    let (mut stored, mut resized) = decoders.map_err(|error| undecodable(0, error.to_string()))?;
    let (mut scratch, mut pixels, mut sums) = (Vec::new(), Vec::new(), Sums::default());
    let (mut sizes, mut refusals) = (Vec::new(), Vec::new());
    for i in (0..data.len()).step_by(data.len().div_ceil(LOOKED_AT)) {
        let encoded = match data.read(i, &mut scratch) {
            Ok(encoded) => encoded,
            Err(error) => {
                refusals.push((i, error.to_string()));
                continue;
            }
        };
        let size = stored.open(encoded).and_then(|size| {
            let region = Region::whole(resized.open(encoded)?);
            pixels.resize(region.bytes(), 0);
            resized.pixels(encoded, region, &mut pixels)?;
            Ok(size)
        });
        match size {
            Ok(size) => {
                sums.add(&pixels);
                sizes.push(size);
            }
            Err(error) => refusals.push((i, error.to_string())),
        }
    }
    if sizes.is_empty() {
        let (sample, reason) = refusals.into_iter().next().unwrap_or_default();
        return Err(undecodable(sample, reason));
    }
    let mut sides: Vec<u32> = sizes.iter().map(|size| size.width.min(size.height)).collect();
    sides.sort_unstable();
    Ok(Seen {
        images: sizes.len(),
        refused: refusals.len(),
        is_uniform: sizes.iter().all(|size| *size == sizes[0] && size.width == size.height),
        sides,
        std: sums.std(),
    })
}
