//! Estimates the speed of this machine from a fraction of a second of real work, for the times that `check` prints.

use std::time::{Duration, Instant};

use crate::config::compute::Method;
use crate::dataset::Dataset;
use crate::devices::cpu::Threads;
use crate::ops::peak;
use crate::ops::simd::{self, Instructions};
use crate::plan::{Plan, preprocessing};
use crate::stages::decode::Decoder;

/// The approximate share of the multiply-add peak that a whole training step reaches. Operations are nominal, so Winograd
/// convolution may exceed the peak.
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

/// The approximate number of training images per second that `threads` threads compute, at `flops` operations per image.
pub(super) fn compute_images_per_s(flops: u64, threads: usize, method: Method) -> f64 {
    let Ok(one) = Threads::new("estimate", 1) else {
        return 0.0;
    };
    let bursts = (0..4).map(|_| peak::cpu::burst(&one, Duration::from_millis(10)));
    let flops_per_s = bursts.fold(0.0, f64::max) * threads as f64 * share_of_peak(method);
    flops_per_s / flops as f64
}

/// The approximate number of images per second that one worker decodes; `None` if the samples tried cannot be decoded.
pub(super) fn decode_images_per_s(plan: &Plan, data: &Dataset) -> Option<f64> {
    let mut decoder = Decoder::new(preprocessing::decode_options(&plan.config)).ok()?;
    let (mut scratch, mut pixels) = (Vec::new(), Vec::new());
    let start = Instant::now();
    let mut done = 0;
    for i in (0..data.len()).step_by((data.len() / 32).max(1)).take(32) {
        let Ok(encoded) = data.read(i, &mut scratch) else {
            continue;
        };
        done += u32::from(decoder.whole(encoded, &mut pixels).is_ok());
    }
    (done > 0).then(|| f64::from(done) / start.elapsed().as_secs_f64())
}
