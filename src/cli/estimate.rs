//! How fast this machine is, from a fraction of a second of real work: for the times that `check` estimates.

use std::time::{Duration, Instant};

use crate::config::compute::Method;
use crate::dataset::Dataset;
use crate::devices::cpu::Threads;
use crate::ops::peak;
use crate::ops::simd::{self, Instructions};
use crate::plan::{Plan, preprocessing};
use crate::stages::decode::{Decoder, Region};

/// What share of the peak of its multiply-adds a whole training step reaches, about: nominal operations, so that Winograd
/// convolution may come to more than all.
fn share_of_peak(method: Method) -> f64 {
    // AVX-512 may double the peak, but not the speed of the caches.
    let wide = simd::used() == Instructions::Avx512;
    match (method, wide) {
        (Method::Direct, false) => 0.85,
        (Method::Direct, true) => 0.65,
        (Method::Auto | Method::Winograd, false) => 1.3,
        (Method::Auto | Method::Winograd, true) => 1.0,
    }
}

/// Training images a second that `threads` threads can compute, about, of `flops` operations each.
pub(super) fn compute_images_per_s(flops: u64, threads: usize, method: Method) -> f64 {
    let Ok(one) = Threads::new("estimate", 1) else {
        return 0.0;
    };
    let bursts = (0..4).map(|_| peak::burst(&one, Duration::from_millis(10)));
    let flops_per_s = bursts.fold(0.0, f64::max) * threads as f64 * share_of_peak(method);
    flops_per_s / flops as f64
}

/// Images a second that one worker decodes, about; `None` where the samples looked at cannot be decoded.
pub(super) fn decode_images_per_s(plan: &Plan, data: &Dataset) -> Option<f64> {
    let mut decoder = Decoder::new(preprocessing::decode_options(&plan.config)).ok()?;
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
