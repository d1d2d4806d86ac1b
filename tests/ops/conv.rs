//! Convolution against the formula, in f64.

use pipeline::config::model::Convolution;
use pipeline::devices::cpu::Cpu;
use pipeline::ops::conv::Geometry;
use pipeline::ops::conv::cpu::Saved;
use pipeline::ops::{Chunks, Shape};
use proptest::prelude::*;

use crate::given::{assert_close, conv, cpu, numbers, threads};

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

fn check(layer: &Convolution, input: Shape, batch: usize) {
    let g = Geometry::new(layer, input).unwrap();
    let (cpu, chunks) = (cpu(), Chunks::new(batch));
    assert!(g.scratch(&chunks) <= 1 << 20);
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

    let mut y = vec![9.0; dy.len()];
    g.forward(&cpu, &chunks, batch, &x, &w, &b, &mut y, false);
    assert_close("y", &y, &y_twin, 1e-5);
    g.forward(&cpu, &chunks, batch, &x, &w, &b, &mut y, true);
    assert_close(
        "rectified y",
        &y,
        &y_twin.iter().map(|y| y.max(0.0)).collect::<Vec<_>>(),
        1e-5,
    );

    let (mut dx, mut dw, mut db) = (vec![9.0; x.len()], vec![9.0; w.len()], vec![9.0; b.len()]);
    let mut partial = vec![9.0; chunks.len() * g.partial()];
    let saved = Saved { input: &x, weight: &w };
    g.backward(&cpu, &chunks, batch, saved, &dy, &mut partial, Some(&mut dx));
    g.reduce(&cpu, &chunks, batch, &partial, &mut dw, &mut db);
    assert_close("dx", &dx, &dx_twin, 1e-5);
    assert_close("dw", &dw, &dw_twin, 1e-5);
    assert_close("db", &db, &db_twin, 1e-5);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]
    #[test]
    fn is_the_formula(
        (groups, inputs, outputs) in (1usize..4, 1usize..4, 1usize..6),
        (kernel, stride, padding) in (1usize..6, 1usize..5, 0usize..4),
        (height, width) in (1usize..14, 1usize..14),
        batch in 1usize..20,
        partial_windows: bool,
    ) {
        prop_assume!(height + 2 * padding >= kernel && width + 2 * padding >= kernel);
        let layer =
            Convolution { channels: groups * outputs, kernel, stride, padding, groups, partial_windows, ..conv("c", 1) };
        check(&layer, Shape::new(groups * inputs, height, width), batch);
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
        partial_windows: bool,
    ) {
        prop_assume!(height + 2 * padding >= kernel && width + 2 * padding >= kernel);
        let layer =
            Convolution { channels: groups * outputs, kernel, stride, padding, groups, partial_windows, ..conv("c", 1) };
        let input = Shape::new(groups * inputs, height, width);
        let g = Geometry::new(&layer, input).unwrap();
        prop_assert!(g.is_direct());
        prop_assert_eq!(g.transposed().is_some(), stride == 1 && padding < kernel && inputs >= 8);
        check(&layer, input, batch);
    }
}

#[test]
fn direct_convolution_gives_the_same_bits_with_any_number_of_threads() {
    let layer = Convolution {
        groups: 2,
        ..conv("c", 48)
    };
    let (input, batch) = (Shape::new(32, 7, 6), 37);
    let g = Geometry::new(&layer, input).unwrap();
    assert!(g.is_direct() && g.transposed().is_some());
    let (x, w) = (numbers(1, batch * input.len()), numbers(2, g.weights()));
    let (b, dy) = (numbers(3, layer.channels), numbers(4, batch * g.output.len()));
    let chunks = Chunks::new(batch);
    let run = |count| {
        let cpu = Cpu::new(threads(count), g.scratch(&chunks));
        let (mut y, mut dx, mut partial) = (dy.clone(), x.clone(), vec![9.0; chunks.len() * g.partial()]);
        let saved = Saved { input: &x, weight: &w };
        g.forward(&cpu, &chunks, batch, &x, &w, &b, &mut y, true);
        g.backward(&cpu, &chunks, batch, saved, &dy, &mut partial, Some(&mut dx));
        (y, dx, partial)
    };
    let one = run(1);
    assert!([2, 3, 8].into_iter().all(|count| run(count) == one));
}

#[test]
fn the_first_layer_of_the_paper_has_55_windows_of_224() {
    let layer = Convolution {
        kernel: 11,
        stride: 4,
        padding: 0,
        partial_windows: true,
        ..conv("conv1", 2)
    };
    let side = Geometry::new(&layer, Shape::new(3, 224, 224)).unwrap().output.width;
    assert_eq!(side, 55);
    check(&layer, Shape::new(3, 24, 31), 3);
}
