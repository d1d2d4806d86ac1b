//! How fast this machine is, from a fraction of a second of real work: for the times that `check` estimates.

use std::time::Instant;

use crate::dataset::Dataset;
use crate::ops::matrix::{Matrix, MatrixMut, product};
use crate::plan::{Plan, look};
use crate::stages::decode::{Decoder, Region};

/// What share of a plain matrix multiplication's speed a whole training step reaches, about.
const SHARE_OF_GEMM: f64 = 0.6;

/// Training images a second that `threads` threads can compute, about. A training step is three times a forward pass.
pub(super) fn compute_images_per_s(multiply_adds: u64, threads: usize) -> f64 {
    let n = 384;
    let (a, b) = (vec![1.0f32; n * n], vec![1.0f32; n * n]);
    let mut c = vec![0.0f32; n * n];
    let mut best = f64::INFINITY;
    for _ in 0..6 {
        let start = Instant::now();
        product(
            &mut MatrixMut::new(&mut c, n, n),
            false,
            Matrix::new(&a, n, n),
            Matrix::new(&b, n, n),
        );
        best = best.min(start.elapsed().as_secs_f64());
    }
    let multiply_adds_per_s = (n * n * n) as f64 / best * threads as f64 * SHARE_OF_GEMM;
    multiply_adds_per_s / (3.0 * multiply_adds as f64)
}

/// Images a second that one worker decodes, about; `None` where the samples looked at cannot be decoded.
pub(super) fn decode_images_per_s(plan: &Plan, data: &Dataset) -> Option<f64> {
    let mut decoder = Decoder::new(look::decode_options(&plan.config)).ok()?;
    let (mut scratch, mut pixels) = (Vec::new(), Vec::new());
    let start = Instant::now();
    let mut done = 0;
    for i in (0..data.len()).step_by((data.len() / 32).max(1)).take(32) {
        let Ok(encoded) = data.read(i, &mut scratch) else {
            continue;
        };
        let Ok(frame) = decoder.open(encoded) else { continue };
        let region = Region::whole(frame);
        pixels.resize(region.bytes(), 0);
        done += u32::from(decoder.pixels(encoded, region, &mut pixels).is_ok());
    }
    (done > 0).then(|| f64::from(done) / start.elapsed().as_secs_f64())
}
