//! tanh over the whole range of floats, by vector instructions and by plain code.

use pipeline::ops::simd::{self, Portable, Work};
use pipeline::ops::tanh::cpu::{Forward, forward};

/// Magnitudes from `from` to `to` whose bits are `step` apart; a `step` of 1 covers every float.
fn magnitudes(from: f32, to: f32, step: usize) -> Vec<f32> {
    (from.to_bits()..=to.to_bits())
        .step_by(step)
        .map(f32::from_bits)
        .collect()
}

/// tanh of `x` by both instruction sets.
fn both(x: &[f32]) -> [Vec<f32>; 2] {
    let (mut fast, mut plain) = (x.to_vec(), x.to_vec());
    simd::run(Forward(&mut fast));
    Forward(&mut plain).run(Portable);
    [fast, plain]
}

/// The distance of `y` from `exact` in ulps.
fn ulps(y: f32, exact: f64) -> f64 {
    let float = exact.abs() as f32;
    let unit = f64::from(f32::from_bits(float.to_bits() + 1)) - f64::from(float);
    (f64::from(y) - exact).abs() / unit
}

/// For rising x, y is within 2 ulps of tanh, at most 1, and never falls.
fn check(x: &[f32]) {
    for y in both(x) {
        let mut before = 0.0;
        for (x, y) in x.iter().zip(y) {
            let off = ulps(y, f64::from(*x).tanh());
            assert!(off <= 2.0, "tanh({x:e}) = {y:e}: {off} ulps");
            assert!((0.0..=1.0).contains(&y), "tanh({x:e}) = {y:e}");
            assert!(y >= before, "tanh({x:e}) = {y:e} falls from {before:e}");
            before = y;
        }
    }
}

#[test]
fn it_is_within_two_ulps_and_never_falls() {
    check(&magnitudes(0.0, f32::INFINITY, 997));
}

#[test]
fn neighbouring_floats_do_not_fall_at_the_seams() {
    let near = |x: f32| magnitudes(x * 0.999, x * 1.001, 1);
    check(&near(0.625));
    check(&near(10.0));
    // Where e^(2x) crosses a power of two.
    for n in 2..30 {
        let seam = n as f32 * std::f32::consts::LN_2 / 2.0;
        check(&magnitudes(seam * 0.9999, seam * 1.0001, 1));
    }
}

#[test]
fn special_values_are_as_they_should_be() {
    let tiny = f32::from_bits(1);
    for [zero, minus_zero, small, minus_small, infinite, minus_infinite, nan] in
        both(&[0.0, -0.0, tiny, -tiny, f32::INFINITY, f32::NEG_INFINITY, f32::NAN])
            .map(|y| <[f32; 7]>::try_from(y).expect("seven values"))
    {
        assert_eq!([zero.to_bits(), minus_zero.to_bits()], [0, 1 << 31]);
        assert_eq!([small, minus_small], [tiny, -tiny]);
        assert_eq!([infinite, minus_infinite], [1.0, -1.0]);
        assert!(nan.is_nan());
    }
}

#[test]
fn it_is_odd_and_a_values_bits_do_not_depend_on_its_position() {
    let x = magnitudes(1e-6, 12.0, 100_003);
    let mut alone = x.clone();
    alone.iter_mut().for_each(|x| forward(std::slice::from_mut(x)));
    for shift in 0..8 {
        let mut shifted = vec![-0.5; shift];
        shifted.extend(x.iter().map(|x| -x));
        forward(&mut shifted);
        for (y, alone) in shifted[shift..].iter().zip(&alone) {
            assert_eq!(y.to_bits(), (-alone).to_bits());
        }
    }
}
