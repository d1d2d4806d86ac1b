//! The rule that draws crop, reflection and colours: a pure function of the sample's key and the frame's size.

use crate::devices::row::Hole;
use crate::rng::{Philox, Purpose};
use crate::stages::frame::{Frame, Region};
use crate::stages::messages::Phase;

mod resized;

pub use resized::ResizedCrop;

/// PCA colour noise (paper, section 4.1). σ and the scale are already multiplied in: the colour added to a pixel is
/// Σ α_i · `components[i]` with α_i from N(0, 1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColourNoise {
    /// Rows: the principal components of RGB, each times σ, times eigenvalue or standard deviation, times 255.
    pub components: [[f64; 3]; 3],
}

/// How far the factors of colour jitter may be from 1, on either side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JitterRange {
    /// Brightness.
    pub brightness: f32,
    /// Contrast.
    pub contrast: f32,
    /// Saturation.
    pub saturation: f32,
}

/// Factors drawn for one row; 1 changes nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Jitter {
    /// Multiplies every value.
    pub brightness: f32,
    /// Multiplies a value's distance from the crop's mean grey.
    pub contrast: f32,
    /// Multiplies a colour's distance from its grey.
    pub saturation: f32,
}

/// Draws the views of all samples of a run.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The run's seed.
    pub seed: u64,
    /// Side of the square crop.
    pub crop: u32,
    /// Training crops of random size; `None`: their side is `crop`.
    pub resized: Option<ResizedCrop>,
    /// Probability of a reflection.
    pub flip: f32,
    /// Random brightness, contrast and saturation.
    pub jitter: Option<JitterRange>,
    /// Side of the square that cutout blanks; 0: none.
    pub cutout: u32,
    /// Colour noise.
    pub colour: Option<ColourNoise>,
    /// Views per sample in evaluation: 1 or 10.
    pub views: u32,
}

/// What was drawn for one row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Draw {
    /// The crop, in the frame. If its sides are not the rule's `crop`, it is scaled to that.
    pub region: Region,
    /// Whether left and right are exchanged.
    pub flip: bool,
    /// Factors of brightness, contrast and saturation.
    pub jitter: Option<Jitter>,
    /// Added to RGB, on the scale 0..255.
    pub colour: [f32; 3],
    /// The part that cutout blanks.
    pub hole: Option<Hole>,
}

impl Rule {
    /// Fixed views of side `crop`; nothing is random.
    pub fn plain(crop: u32, views: u32) -> Self {
        Self {
            seed: 0,
            crop,
            resized: None,
            flip: 0.0,
            jitter: None,
            cutout: 0,
            colour: None,
            views,
        }
    }

    /// A training view of `sample` in `epoch`.
    pub fn draw(&self, epoch: u32, sample: u32, frame: Frame) -> Draw {
        let mut crop = Philox::new(self.seed, Purpose::Crop, epoch, sample);
        let region = if let Some(resized) = &self.resized {
            resized.draw(&mut crop, frame)
        } else {
            let x = crop.below(frame.width - self.crop + 1);
            let y = crop.below(frame.height - self.crop + 1);
            self.square(x, y)
        };
        let flip = Philox::new(self.seed, Purpose::Flip, epoch, sample).uniform() < self.flip;
        let colour = self.colour.map_or([0.0; 3], |noise| {
            let mut random = Philox::new(self.seed, Purpose::Colour, epoch, sample);
            let ((a, b), (c, _)) = (random.normal_pair(), random.normal_pair());
            let [p, q, r] = noise.components;
            [0, 1, 2].map(|i| (a * p[i] + b * q[i] + c * r[i]) as f32)
        });
        let jitter = self.jitter.map(|range| {
            let mut random = Philox::new(self.seed, Purpose::Jitter, epoch, sample);
            let mut factor = |range: f32| 1.0 + range * (2.0 * random.uniform() - 1.0);
            Jitter {
                brightness: factor(range.brightness),
                contrast: factor(range.contrast),
                saturation: factor(range.saturation),
            }
        });
        let hole = (self.cutout > 0).then(|| {
            let mut random = Philox::new(self.seed, Purpose::Cutout, epoch, sample);
            let (x, y) = (random.below(self.crop), random.below(self.crop));
            self.hole(x, y)
        });
        Draw {
            region,
            flip,
            jitter,
            colour,
            hole,
        }
    }

    /// Side of the smallest frame that is usable in a phase.
    pub fn smallest_frame(&self, phase: Phase) -> u32 {
        if phase == Phase::Train && self.resized.is_some() {
            1
        } else {
            self.crop
        }
    }

    /// The part of the square around a point that lies inside the crop (DeVries and Taylor 2017).
    fn hole(&self, x: u32, y: u32) -> Hole {
        let span = |middle: u32| {
            let from = middle.saturating_sub(self.cutout / 2);
            let to = (middle + self.cutout.div_ceil(2)).min(self.crop);
            (from, to - from)
        };
        let ((x, width), (y, height)) = (span(x), span(y));
        Hole { x, y, width, height }
    }

    /// An evaluation view: centre and corners of the frame's central square, then their reflections.
    pub fn view(&self, view: u8, frame: Frame) -> Draw {
        let square = central_square(frame);
        let room = square.width - self.crop;
        let (x, y) = match view % 5 {
            0 => (room / 2, room / 2),
            1 => (0, 0),
            2 => (room, 0),
            3 => (0, room),
            _ => (room, room),
        };
        Draw {
            region: self.square(square.x + x, square.y + y),
            flip: view >= 5,
            jitter: None,
            colour: [0.0; 3],
            hole: None,
        }
    }

    /// The smallest region that contains all evaluation views of a sample.
    pub fn region_of_views(&self, frame: Frame) -> Region {
        if self.views == 1 {
            self.view(0, frame).region
        } else {
            central_square(frame)
        }
    }

    fn square(&self, x: u32, y: u32) -> Region {
        Region {
            x,
            y,
            width: self.crop,
            height: self.crop,
        }
    }
}

fn central_square(frame: Frame) -> Region {
    let side = frame.width.min(frame.height);
    Region {
        x: (frame.width - side) / 2,
        y: (frame.height - side) / 2,
        width: side,
        height: side,
    }
}
