//! Convolution against the formula, in f64.

use pipeline::config::compute::Method;
use pipeline::config::model::Convolution;
use pipeline::ops::Shape;
use pipeline::ops::conv::{Algorithm, Geometry};
use pipeline::ops::map::Order;
use proptest::prelude::*;

use crate::given::{assert_close, numbers};
use crate::layers::conv;
use crate::planar::Conv;

/// Calls `visit(y index, x index, w index)` for each product of the forward sum.
fn each_product(g: &Geometry, batch: usize, mut visit: impl FnMut(usize, usize, usize)) {
    let (i, o) = (g.input, g.output);
    let (cg, og) = (i.channels / g.groups, o.channels / g.groups);
    for n in 0..batch {
        for co in 0..o.channels {
            for (q, r) in (0..o.height).flat_map(|q| (0..o.width).map(move |r| (q, r))) {
                for c in 0..cg {
                    for (ky, kx) in (0..g.kernel).flat_map(|y| (0..g.kernel).map(move |x| (y, x))) {
                        let y = (q * g.stride + ky) as isize - g.padding as isize;
                        let x = (r * g.stride + kx) as isize - g.padding as isize;
                        if y < 0 || x < 0 || y >= i.height as isize || x >= i.width as isize {
                            continue;
                        }
                        let ci = co / og * cg + c;
                        visit(
                            ((n * o.channels + co) * o.height + q) * o.width + r,
                            ((n * i.channels + ci) * i.height + y as usize) * i.width + x as usize,
                            ((co * cg + c) * g.kernel + ky) * g.kernel + kx,
                        );
                    }
                }
            }
        }
    }
}

/// Compares all three directions with the formula, within `tolerance` of the largest value.
fn check(layer: &Convolution, input: Shape, batch: usize, order: Order, method: Method, tolerance: f64) {
    let g = Geometry::new(layer, input).unwrap();
    let conv = Conv::new(&g, order, method, batch);
    let (x, w) = (numbers(1, batch * input.len()), numbers(2, g.weights()));
    let (b, dy) = (numbers(3, layer.channels), numbers(4, batch * g.output.len()));
    let plane = g.output.plane();

    let bias_of = |i: usize| f64::from(b[i / plane % layer.channels]);
    let mut y_twin: Vec<f64> = (0..dy.len()).map(bias_of).collect();
    let (mut dx_twin, mut dw_twin, mut db_twin) = (vec![0.0; x.len()], vec![0.0; w.len()], vec![0.0; b.len()]);
    each_product(&g, batch, |yi, xi, wi| {
        y_twin[yi] += f64::from(x[xi]) * f64::from(w[wi]);
        dx_twin[xi] += f64::from(dy[yi]) * f64::from(w[wi]);
        dw_twin[wi] += f64::from(dy[yi]) * f64::from(x[xi]);
    });
    dy.iter()
        .enumerate()
        .for_each(|(i, dy)| db_twin[i / plane % layer.channels] += f64::from(*dy));

    assert_close("y", &conv.forward(&x, &w, &b, false), &y_twin, tolerance);
    let rectified: Vec<f64> = y_twin.iter().map(|y| y.max(0.0)).collect();
    assert_close("rectified y", &conv.forward(&x, &w, &b, true), &rectified, tolerance);
    let [dx, dw, db] = conv.backward(&x, &w, &dy);
    assert_close("dx", &dx, &dx_twin, tolerance);
    assert_close("dw", &dw, &dw_twin, tolerance);
    // Most of this sum cancels out, so the error is relative to the sum of the magnitudes.
    let mut summed = vec![0.1; b.len()];
    dy.iter()
        .enumerate()
        .for_each(|(i, dy)| summed[i / plane % layer.channels] += f64::from(dy.abs()));
    for (i, (ours, twin)) in db.iter().zip(&db_twin).enumerate() {
        let apart = (f64::from(*ours) - twin).abs();
        assert!(apart <= 1e-6 * summed[i], "db[{i}]: {ours} instead of {twin}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]
    #[test]
    fn is_the_formula(
        (groups, inputs, outputs) in (1usize..4, 1usize..4, 1usize..6),
        (kernel, stride, padding) in (1usize..6, 1usize..5, 0usize..4),
        (height, width) in (1usize..14, 1usize..14),
        batch in 1usize..20,
        (partial_windows, planar) in any::<(bool, bool)>(),
    ) {
        prop_assume!(height + 2 * padding >= kernel && width + 2 * padding >= kernel);
        let layer =
            Convolution { channels: groups * outputs, kernel, stride, padding, groups, partial_windows, ..conv("c", 1) };
        let order = if planar { Order::Planar } else { Order::Blocked };
        check(&layer, Shape::new(groups * inputs, height, width), batch, order, Method::Auto, 1e-5);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]
    #[test]
    fn is_the_formula_with_channels_enough_for_direct_convolution(
        (groups, inputs, outputs) in (1usize..3, 1usize..20, 8usize..36),
        (kernel, stride, padding) in (1usize..6, 1usize..4, 0usize..4),
        (height, width) in (1usize..10, 1usize..10),
        batch in 1usize..12,
        (partial_windows, planar) in any::<(bool, bool)>(),
    ) {
        prop_assume!(height + 2 * padding >= kernel && width + 2 * padding >= kernel);
        let layer =
            Convolution { channels: groups * outputs, kernel, stride, padding, groups, partial_windows, ..conv("c", 1) };
        let input = Shape::new(groups * inputs, height, width);
        let order = if planar { Order::Planar } else { Order::Blocked };
        let whole = groups == 1 || outputs % 8 == 0;
        let algorithm = Algorithm::of(&Geometry::new(&layer, input).unwrap(), order, Method::Direct);
        prop_assert_eq!(algorithm, if whole { Algorithm::Direct } else { Algorithm::Products });
        check(&layer, input, batch, order, Method::Direct, 1e-5);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]
    #[test]
    fn is_the_formula_by_winograd(
        (groups, inputs, outputs) in (1usize..3, 2usize..5, 2usize..5),
        (odd_inputs, odd_outputs) in (0usize..8, 0usize..8),
        (kernel, padding) in (prop_oneof![Just(3usize), Just(5)], 0usize..5),
        (height, width) in (1usize..15, 1usize..15),
        batch in 1usize..12,
    ) {
        prop_assume!(height + 2 * padding >= kernel && width + 2 * padding >= kernel);
        // A single group may have any number of channels from 16 on; several groups need whole blocks.
        let (inputs, outputs) = match groups {
            1 => (8 * inputs + odd_inputs, 8 * outputs + odd_outputs),
            _ => (8 * inputs, 8 * outputs),
        };
        let layer = Convolution { channels: groups * outputs, kernel, padding, groups, ..conv("c", 1) };
        let input = Shape::new(groups * inputs, height, width);
        let algorithm = Algorithm::of(&Geometry::new(&layer, input).unwrap(), Order::Blocked, Method::Winograd);
        prop_assert_eq!(algorithm, Algorithm::Winograd);
        check(&layer, input, batch, Order::Blocked, Method::Winograd, 5e-5);
    }
}

#[test]
fn is_the_formula_by_winograd_in_several_parts() {
    let layer = |channels, kernel| Convolution {
        channels,
        kernel,
        padding: kernel / 2,
        ..conv("c", 1)
    };
    for (channels, kernel, input, batch) in [
        // Five images per chunk; the weight gradient takes three of them at a time.
        (16, 5, Shape::new(16, 18, 18), 40),
        // One tile per image, with many channels.
        (16, 3, Shape::new(112, 4, 4), 3),
        // Panels are processed in fours and then in twos: 5 are 4 and 1, and 7 are 4, 2 and 1.
        (80, 3, Shape::new(16, 5, 5), 2),
        (112, 3, Shape::new(16, 5, 5), 2),
    ] {
        check(
            &layer(channels, kernel),
            input,
            batch,
            Order::Blocked,
            Method::Winograd,
            5e-5,
        );
    }
}

#[test]
fn is_the_formula_by_direct_convolution_in_several_parts() {
    // 20 × 20 outputs make two parts of the weight gradient's sums. For windows of fewer than 128 elements dy is read in place,
    // otherwise it is copied. The channels are one panel, two together, and two and one.
    for (inputs, kernel) in [(3, 3), (16, 3), (16, 5)] {
        for channels in [16, 32, 40] {
            let layer = Convolution {
                channels,
                kernel,
                padding: kernel / 2,
                ..conv("c", 1)
            };
            let input = Shape::new(inputs, 20, 20);
            for order in [Order::Planar, Order::Blocked] {
                let algorithm = Algorithm::of(&Geometry::new(&layer, input).unwrap(), order, Method::Direct);
                assert_eq!(algorithm, Algorithm::Direct);
                check(&layer, input, 2, order, Method::Direct, 1e-5);
            }
        }
    }
}

#[test]
fn the_first_layer_of_the_paper_has_55_windows_of_224() {
    let layer = Convolution {
        kernel: 11,
        stride: 4,
        padding: 0,
        partial_windows: true,
        ..conv("conv1", 24)
    };
    let of_paper = Geometry::new(&layer, Shape::new(3, 224, 224)).unwrap();
    assert_eq!(of_paper.output.width, 55);
    assert_eq!(Algorithm::of(&of_paper, Order::Planar, Method::Auto), Algorithm::Direct);
    check(&layer, Shape::new(3, 24, 31), 3, Order::Planar, Method::Auto, 1e-5);
    // More positions than one partial sum has.
    check(&layer, Shape::new(3, 77, 75), 1, Order::Planar, Method::Auto, 1e-5);
}
