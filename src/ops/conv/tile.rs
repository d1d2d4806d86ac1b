//! The one inner loop of direct convolution.
//!
//! ```text
//! out[p][l] (+)= Σ over j of x[bases[p] + offsets[j]] · w[j][l],   l < 16
//! ```
//!
//! Forward, p is an output position, j an element of its window and l an output channel; for the weight gradient p and j
//! change places (p is an element of the window, j an output position, and w holds dy). Since both are lists of places,
//! any kernel size, stride, padding and number of channels is the same loop.
//!
//! A tile is six p × two vectors of eight l: 12 sums, two vectors of w and one value of x fill 15 of the 16 registers
//! of AVX2. Each j takes 12 fused multiply-adds, two loads and six broadcasts: at two of either per cycle, the
//! multiply-adds are what limits it.

use std::array;

/// Values of l: two vectors of eight.
pub const LANES: usize = 16;

/// Values of p in a tile, at most.
const TALL: usize = 6;

/// Whether sums start from what `out` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// out = Σ.
    Zero,
    /// out += Σ.
    Sum,
}

/// One tile of the sum above, for `P` = `bases.len()`.
type Tile = unsafe fn(x: &[f32], bases: &[u32], offsets: &[u32], w: &[f32], out: &mut [f32], start: Start);

/// The sum above for any number of `bases`, by the fastest tile of this machine.
///
/// # Panics
/// Where a place lies outside `x`, or `w` or `out` is too short.
pub fn tiles(x: &[f32], bases: &[u32], offsets: &[u32], w: &[f32], out: &mut [f32], start: Start) {
    run(fastest(), x, bases, offsets, w, out, start);
}

/// As [`tiles`], by the portable tile.
pub fn tiles_portable(x: &[f32], bases: &[u32], offsets: &[u32], w: &[f32], out: &mut [f32], start: Start) {
    run(&PORTABLE, x, bases, offsets, w, out, start);
}

fn run(tiles: &[Tile; TALL], x: &[f32], bases: &[u32], offsets: &[u32], w: &[f32], out: &mut [f32], start: Start) {
    let furthest = |places: &[u32]| places.iter().copied().max().map(|place| place as usize);
    let (Some(base), Some(offset)) = (furthest(bases), furthest(offsets)) else {
        if start == Start::Zero {
            out[..bases.len() * LANES].fill(0.0);
        }
        return;
    };
    assert!(base + offset < x.len(), "a place beyond the input");
    assert!(w.len() >= offsets.len() * LANES, "too few weights");
    // As even as they come: tiles of five or four also keep the multipliers busy, shorter ones do not.
    let count = bases.len().div_ceil(TALL);
    let mut rest = &mut out[..bases.len() * LANES];
    for i in 0..count {
        let bases = &bases[i * bases.len() / count..(i + 1) * bases.len() / count];
        let (out, after) = rest.split_at_mut(bases.len() * LANES);
        // SAFETY: every base + offset is inside x and w holds LANES for each offset (asserted above); this tile's P is
        // the number of bases, out holds LANES for each, and `fastest` only names tiles that the machine can run.
        unsafe { tiles[bases.len() - 1](x, bases, offsets, w, out, start) };
        rest = after;
    }
}

const PORTABLE: [Tile; TALL] = [
    portable::<1>,
    portable::<2>,
    portable::<3>,
    portable::<4>,
    portable::<5>,
    portable::<6>,
];

/// The tiles of this machine, by P − 1.
fn fastest() -> &'static [Tile; TALL] {
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
        return &avx2::TILES;
    }
    &PORTABLE
}

/// Safe, and only `unsafe` to have the type of the others.
unsafe fn portable<const P: usize>(
    x: &[f32],
    bases: &[u32],
    offsets: &[u32],
    w: &[f32],
    out: &mut [f32],
    start: Start,
) {
    let bases: [usize; P] = array::from_fn(|p| bases[p] as usize);
    let mut sums = [[0.0f32; LANES]; P];
    for (offset, w) in offsets.iter().zip(w.as_chunks::<LANES>().0) {
        for (sums, base) in sums.iter_mut().zip(bases) {
            let x = x[base + *offset as usize];
            sums.iter_mut().zip(w).for_each(|(sum, w)| *sum += x * w);
        }
    }
    for (out, sums) in out.as_chunks_mut::<LANES>().0.iter_mut().zip(sums) {
        match start {
            Start::Zero => *out = sums,
            Start::Sum => out.iter_mut().zip(sums).for_each(|(out, sum)| *out += sum),
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        _mm256_add_ps, _mm256_broadcast_ss, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_setzero_ps, _mm256_storeu_ps,
    };

    use super::{LANES, Start, TALL, Tile};

    pub(super) const TILES: [Tile; TALL] = [tile::<1>, tile::<2>, tile::<3>, tile::<4>, tile::<5>, tile::<6>];

    /// # Safety
    /// `bases` and `out` hold `P` and `P` · LANES elements, `w` LANES for each offset, every base + offset is inside
    /// `x`, and the machine has AVX2 and FMA.
    #[target_feature(enable = "avx2,fma")]
    #[allow(
        clippy::needless_range_loop,
        reason = "counted loops over P unroll, and sums stay in registers"
    )]
    unsafe fn tile<const P: usize>(
        x: &[f32],
        bases: &[u32],
        offsets: &[u32],
        w: &[f32],
        out: &mut [f32],
        start: Start,
    ) {
        debug_assert!(bases.len() == P && out.len() == P * LANES && w.len() >= offsets.len() * LANES);
        // Arrays that are only ever indexed by unrolled loops: an index known at run time would put them in memory.
        let mut sums = [[_mm256_setzero_ps(); 2]; P];
        let mut from = [x.as_ptr(); P];
        let mut w = w.as_ptr();
        // SAFETY: the caller's promises above; w stays within LANES for each offset.
        unsafe {
            for p in 0..P {
                from[p] = x.as_ptr().add(*bases.get_unchecked(p) as usize);
            }
            for offset in offsets {
                let (left, right) = (_mm256_loadu_ps(w), _mm256_loadu_ps(w.add(8)));
                for p in 0..P {
                    let x = _mm256_broadcast_ss(&*from[p].add(*offset as usize));
                    sums[p][0] = _mm256_fmadd_ps(x, left, sums[p][0]);
                    sums[p][1] = _mm256_fmadd_ps(x, right, sums[p][1]);
                }
                w = w.add(LANES);
            }
            for p in 0..P {
                for half in 0..2 {
                    let out = out.as_mut_ptr().add(p * LANES + half * 8);
                    let sum = match start {
                        Start::Zero => sums[p][half],
                        Start::Sum => _mm256_add_ps(_mm256_loadu_ps(out), sums[p][half]),
                    };
                    _mm256_storeu_ps(out, sum);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fastest_tiles_agree_with_the_portable_ones() {
        let number = |i: usize| ((i * 7919) % 1013) as f32 / 506.0 - 1.0;
        let x: Vec<f32> = (0..400).map(number).collect();
        for (count, length) in [(1, 1), (2, 3), (3, 40), (5, 7), (7, 100), (13, 99), (36, 0)] {
            let bases: Vec<u32> = (0..count).map(|p| p * 37 % 199).collect();
            let offsets: Vec<u32> = (0..length).map(|j| j * 53 % 201).collect();
            let w: Vec<f32> = (0..offsets.len() * LANES).map(|i| number(i + 5)).collect();
            for start in [Start::Zero, Start::Sum] {
                let mut ours: Vec<f32> = (0..bases.len() * LANES).map(|i| number(i + 9)).collect();
                let mut twin = ours.clone();
                tiles(&x, &bases, &offsets, &w, &mut ours, start);
                tiles_portable(&x, &bases, &offsets, &w, &mut twin, start);
                for (a, b) in ours.iter().zip(&twin) {
                    assert!((a - b).abs() <= 3e-7 * (1.0 + length as f32), "{a} and {b}");
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "a place beyond the input")]
    fn places_beyond_the_input_are_refused() {
        tiles(&[0.0; 9], &[4], &[5], &[0.0; 16], &mut [0.0; 16], Start::Zero);
    }
}
