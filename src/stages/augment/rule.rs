//! The rule that draws crop, reflection and colour: a pure function of the sample's key and the frame's size.

use crate::rng::{Philox, Purpose};
use crate::stages::decode::{Frame, Region};

/// PCA colour noise (paper, section 4.1), with σ and the scale already in: the colour added to a pixel is
/// Σ α_i · `components[i]` with α_i from N(0, 1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColourNoise {
    /// Rows: principal components of RGB, each times σ, times eigenvalue or standard deviation, times 255.
    pub components: [[f64; 3]; 3],
}

/// Draws for every sample of a run.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The run's seed.
    pub seed: u64,
    /// Side of the square crop.
    pub crop: u32,
    /// Probability of a reflection.
    pub flip: f32,
    /// Colour noise.
    pub colour: Option<ColourNoise>,
    /// Views of a sample in evaluation: 1 or 10.
    pub views: u32,
}

/// What was drawn for one row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Draw {
    /// The crop, in the frame.
    pub region: Region,
    /// Whether left and right are exchanged.
    pub flip: bool,
    /// Added to RGB, in 0..255.
    pub colour: [f32; 3],
}

impl Rule {
    /// A training view of `sample` in `epoch`.
    pub fn draw(&self, epoch: u32, sample: u32, frame: Frame) -> Draw {
        let mut crop = Philox::new(self.seed, Purpose::Crop, epoch, sample);
        let x = crop.below(frame.width - self.crop + 1);
        let y = crop.below(frame.height - self.crop + 1);
        let flip = Philox::new(self.seed, Purpose::Flip, epoch, sample).uniform() < self.flip;
        let colour = self.colour.map_or([0.0; 3], |noise| {
            let mut random = Philox::new(self.seed, Purpose::Colour, epoch, sample);
            let ((a, b), (c, _)) = (random.normal_pair(), random.normal_pair());
            let [p, q, r] = noise.components;
            [0, 1, 2].map(|i| (a * p[i] + b * q[i] + c * r[i]) as f32)
        });
        Draw {
            region: self.square(x, y),
            flip,
            colour,
        }
    }

    /// A view in evaluation: centre and corners of the frame's central square, then their reflections.
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
            colour: [0.0; 3],
        }
    }

    /// The smallest region that holds every view of a sample in evaluation.
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
