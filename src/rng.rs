//! Counter-based random numbers: Philox4x32-10 (Salmon et al., SC 2011).
//!
//! A draw is a pure function of a key and a counter. So a sample's numbers depend only on (seed, epoch, sample, operation),
//! never on which thread draws them, or when. The platform's libm is not used: the bits are the same on every machine.

/// What random numbers are for. It is part of the counter, so that two operations never share numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Purpose {
    /// The order of the samples in an epoch.
    Shuffle = 1,
    /// Position of the random crop.
    Crop = 2,
    /// Horizontal reflection.
    Flip = 3,
    /// PCA colour noise.
    Colour = 4,
    /// Dropout masks.
    Dropout = 5,
    /// Initial weights.
    Init = 6,
    /// Brightness, contrast and saturation.
    Jitter = 7,
    /// Position of the square that cutout blanks.
    Cutout = 8,
    /// The order of the samples in a pack.
    PackTicket = 9,
    /// Images and labels of a benchmark.
    Benchmark = 10,
    /// Which samples are set aside for validation.
    Split = 11,
}

/// A stream of random numbers with the key `(seed, purpose, a, b)`.
///
/// `a` and `b` are epoch and sample for augmentation, step and layer for dropout.
#[derive(Clone, Debug)]
pub struct Philox {
    key: [u32; 2],
    place: [u32; 3],
    block: u32,
    left: [u32; 4],
    used: usize,
}

impl Philox {
    /// The stream for `purpose` at `(a, b)` under the run's `seed`.
    pub fn new(seed: u64, purpose: Purpose, a: u32, b: u32) -> Self {
        Self {
            key: [seed as u32, (seed >> 32) as u32],
            place: [purpose as u32, a, b],
            block: 0,
            left: [0; 4],
            used: 4,
        }
    }

    /// The same stream from the `block`-th group of four numbers on: any part can be made without the parts before it.
    #[must_use]
    pub fn at_block(mut self, block: u32) -> Self {
        self.block = block;
        self.used = 4;
        self
    }

    /// The next `N` groups of four numbers, `[number in its group][group]`: those that [`next_u32`](Self::next_u32) would
    /// return from the next group on.
    #[inline(always)]
    #[allow(
        clippy::inline_always,
        reason = "the loop must be inlined into the function that is compiled for the instruction set"
    )]
    pub fn next_groups<const N: usize>(&mut self) -> [[u32; N]; 4] {
        let [purpose, a, b] = self.place;
        let mut counter = [[0; N], [purpose; N], [a; N], [b; N]];
        for (i, block) in counter[0].iter_mut().enumerate() {
            *block = self.block.wrapping_add(i as u32);
        }
        self.block = self.block.wrapping_add(N as u32);
        self.used = 4;
        rounds(counter, self.key)
    }

    /// 32 uniform bits.
    pub fn next_u32(&mut self) -> u32 {
        if self.used == 4 {
            let [purpose, a, b] = self.place;
            self.left = philox4x32_10([self.block, purpose, a, b], self.key);
            self.block = self.block.wrapping_add(1);
            self.used = 0;
        }
        self.used += 1;
        self.left[self.used - 1]
    }

    /// Uniform in 0 ≤ x < `n`, without bias (Lemire's multiply and reject).
    pub fn below(&mut self, n: u32) -> u32 {
        let threshold = n.wrapping_neg() % n.max(1);
        loop {
            let product = u64::from(self.next_u32()) * u64::from(n);
            if product as u32 >= threshold {
                return (product >> 32) as u32;
            }
        }
    }

    /// Uniform in [0, 1), a multiple of 2⁻²⁴.
    pub fn uniform(&mut self) -> f32 {
        (self.next_u32() >> 8) as f32 * (1.0 / 16_777_216.0)
    }

    /// Two independent draws from N(0, 1) (Box and Muller), in f64.
    pub fn normal_pair(&mut self) -> (f64, f64) {
        // In (0, 1], because the logarithm of 0 must not occur.
        let u = (f64::from(self.next_u32()) + 1.0) / 4_294_967_296.0;
        let angle = 2.0 * std::f64::consts::PI * (f64::from(self.next_u32()) / 4_294_967_296.0);
        let radius = libm::sqrt(-2.0 * libm::log(u));
        (radius * libm::cos(angle), radius * libm::sin(angle))
    }
}

/// A permutation of `0..n` (Fisher and Yates) that depends on `(seed, epoch)` alone.
pub fn permutation(seed: u64, epoch: u32, n: u32) -> Vec<u32> {
    shuffled(Philox::new(seed, Purpose::Shuffle, epoch, 0), n)
}

/// The order in which a pack distributes `n` samples over its shards: a permutation different from that of any epoch.
pub fn dealing(seed: u64, n: u32) -> Vec<u32> {
    shuffled(Philox::new(seed, Purpose::PackTicket, 0, 0), n)
}

fn shuffled(mut random: Philox, n: u32) -> Vec<u32> {
    let mut order: Vec<u32> = (0..n).collect();
    for i in (1..n).rev() {
        order.swap(i as usize, random.below(i + 1) as usize);
    }
    order
}

/// Ten rounds of Philox4x32.
pub fn philox4x32_10(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let [[a], [b], [c], [d]] = rounds(counter.map(|word| [word]), key);
    [a, b, c, d]
}

/// The same for `N` counters in parallel. If the caller is compiled for vector instructions, so is this.
#[inline(always)]
#[allow(
    clippy::inline_always,
    reason = "the loop must be inlined into the function that is compiled for the instruction set"
)]
fn rounds<const N: usize>(mut counter: [[u32; N]; 4], mut key: [u32; 2]) -> [[u32; N]; 4] {
    const MULTIPLIER: [u64; 2] = [0xD251_1F53, 0xCD9E_8D57];
    const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
    for _ in 0..10 {
        let mut next = [[0; N]; 4];
        for i in 0..N {
            let p0 = MULTIPLIER[0] * u64::from(counter[0][i]);
            let p1 = MULTIPLIER[1] * u64::from(counter[2][i]);
            next[0][i] = (p1 >> 32) as u32 ^ counter[1][i] ^ key[0];
            next[1][i] = p1 as u32;
            next[2][i] = (p0 >> 32) as u32 ^ counter[3][i] ^ key[1];
            next[3][i] = p0 as u32;
        }
        counter = next;
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    counter
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers of Random123's `kat_vectors` for philox4x32-10.
    #[test]
    fn known_answers() {
        assert_eq!(
            philox4x32_10([0; 4], [0; 2]),
            [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
        );
        assert_eq!(
            philox4x32_10([u32::MAX; 4], [u32::MAX; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        assert_eq!(
            philox4x32_10(
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0]
            ),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn groups_side_by_side_are_those_one_by_one() {
        let mut one_by_one = Philox::new(7, Purpose::Dropout, 3, 1).at_block(u32::MAX - 2);
        let mut together = one_by_one.clone();
        for _ in 0..2 {
            let groups = together.next_groups::<5>();
            for group in 0..5 {
                for numbers in groups {
                    assert_eq!(numbers[group], one_by_one.next_u32());
                }
            }
        }
    }

    #[test]
    fn permutation_holds_each_sample_once_and_differs_by_epoch() {
        let (a, b) = (permutation(7, 0, 1000), permutation(7, 1, 1000));
        let mut sorted = a.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..1000).collect::<Vec<_>>());
        assert_ne!(a, b);
    }

    #[test]
    fn normal_has_mean_zero_and_variance_one() {
        let mut random = Philox::new(1, Purpose::Init, 0, 0);
        let draws: Vec<f64> = (0..50_000)
            .flat_map(|_| <[f64; 2]>::from(random.normal_pair()))
            .collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / draws.len() as f64;
        assert!(mean.abs() < 0.015 && (variance - 1.0).abs() < 0.02, "{mean} {variance}");
    }
}
