//! Chooses the network and its numbers from the number and size of the images.

use super::Seen;

/// With fewer photographs than this, the paper's network is not a good choice.
const MANY: usize = 5000;

/// The largest shorter side of small and of medium images.
const SMALL: u32 = 40;
const MIDDLING: u32 = 95;

/// The numbers of epochs to choose from.
const EPOCHS: [u32; 11] = [10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100];

/// The numbers of a proposed run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// `model.preset`.
    pub network: Network,
    /// `decode.shorter_side`; `None` if images are not scaled.
    pub shorter_side: Option<u32>,
    /// `augment.crop`.
    pub crop: u32,
    /// `augment.std`, for each channel.
    pub std: f32,
    /// `staging.batch`.
    pub batch: usize,
    /// `run.epochs`.
    pub epochs: u32,
    /// `solver.lr`.
    pub lr: f32,
    /// `evaluate.every_epochs`.
    pub every_epochs: u32,
    /// `run.bad_images_max`.
    pub bad_images_max: usize,
}

/// A preset and the changes to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// `alexnet-small`.
    Small,
    /// `alexnet-medium`.
    Medium,
    /// `alexnet` with weights from He's distribution, so that it learns from thousands of images instead of a million.
    Paper,
}

impl Network {
    /// The name of the preset.
    pub fn preset(self) -> &'static str {
        match self {
            Self::Small => "alexnet-small",
            Self::Medium => "alexnet-medium",
            Self::Paper => "alexnet",
        }
    }

    /// The number of images to train on: some minutes on two cores.
    fn images(self) -> usize {
        match self {
            Self::Small => 600_000,
            Self::Medium => 300_000,
            Self::Paper => 200_000,
        }
    }
}

/// Chooses a network for `images` images that look like `seen`.
pub(super) fn choose(images: usize, seen: &Seen) -> Choice {
    let side = seen.median();
    let (network, wanted_side, crop) = match side {
        // A frame of the images' own size, with some extra pixels if the images are larger than the network needs.
        0..=SMALL => {
            let side = side.max(28);
            (Network::Small, side, (side - side / 8).max(28))
        }
        41..=MIDDLING => (Network::Medium, 72, 64),
        _ if images < MANY => (Network::Medium, 112, 96),
        _ => (Network::Paper, 128, 112),
    };
    let epochs = network.images() / images.max(1);
    let epochs = EPOCHS
        .into_iter()
        .rfind(|&some| some as usize <= epochs)
        .unwrap_or(EPOCHS[0]);
    Choice {
        network,
        shorter_side: (!seen.is_uniform || side != wanted_side).then_some(wanted_side),
        crop,
        std: (5.0 * (seen.std / 5.0).round()).clamp(10.0, 100.0) as f32,
        batch: if images < 500 { 32 } else { 64 },
        epochs,
        lr: if network == Network::Small { 0.02 } else { 0.01 },
        every_epochs: epochs.div_ceil(30),
        bad_images_max: (images / 100).max(10),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seen(side: u32, is_uniform: bool) -> Seen {
        Seen {
            images: 1,
            refused: 0,
            sides: vec![side],
            is_uniform,
            std: 71.0,
        }
    }

    #[test]
    fn the_network_is_one_for_such_images() {
        let choice = |images, side| choose(images, &seen(side, true));
        assert_eq!(choice(60_000, 28).network, Network::Small);
        assert_eq!((choice(60_000, 28).shorter_side, choice(60_000, 28).crop), (None, 28));
        assert_eq!((choice(50_000, 32).shorter_side, choice(50_000, 32).crop), (None, 28));
        assert_eq!((choice(500, 40).shorter_side, choice(500, 40).crop), (None, 35));
        assert_eq!((choice(1797, 8).shorter_side, choice(1797, 8).crop), (Some(28), 28));
        assert_eq!((choice(9000, 64).network, choice(9000, 64).crop), (Network::Medium, 64));
        assert_eq!((choice(900, 480).network, choice(900, 480).crop), (Network::Medium, 96));
        assert_eq!(
            (choice(9469, 224).network, choice(9469, 224).epochs),
            (Network::Paper, 20)
        );
    }

    proptest! {
        /// A crop fits its frame, and every number is in its key's range.
        #[test]
        fn numbers_fit_each_other(images in 1..2_000_000_usize, side in 1..20_000_u32, is_uniform: bool) {
            let choice = choose(images, &seen(side, is_uniform));
            prop_assert!(choice.crop <= choice.shorter_side.unwrap_or(side));
            prop_assert!(choice.std == 70.0 && choice.bad_images_max < 100_000);
            prop_assert!((10..=100).contains(&choice.epochs) && choice.epochs / choice.every_epochs <= 30);
        }
    }
}
