//! Random networks on a GPU beside the same ones on a CPU: scores, losses, gradients and weights, with dropout's masks.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use pipeline::config::compute::Method;
use pipeline::config::devices::{DeviceName, Kind};
use pipeline::config::model::{Convolution, Dropout, FullyConnected, Init, Layer, Lrn, MaxPool};
use pipeline::devices::row::{Hole, RowWriter, Subtract, View};
use pipeline::flow::Slot;
use pipeline::model::{Device, Job, Parameter, Spec, Targets, devices, init};
use pipeline::ops::Shape;
use pipeline::ops::sgd::Rate;
use pipeline::rng::{Philox, Purpose};

use crate::emulated::{STRICT, passes};

const CLASSES: usize = 5;

#[test]
fn random_networks_are_the_cpus() {
    passes("networks::on_this_gpu", &[]);
}

#[test]
fn random_networks_are_the_cpus_with_the_longest_delays_and_each_access_looked_at() {
    passes("networks::some_on_this_gpu", &STRICT);
}

#[test]
#[ignore = "it needs a GPU; the tests above give it an emulated one"]
fn on_this_gpu() {
    let kinds = compare(0..48);
    for kind in [
        "conv",
        "fc",
        "relu",
        "tanh",
        "lrn",
        "maxpool",
        "dropout",
        "another first",
    ] {
        assert!(kinds.get(kind).is_some_and(|count| *count >= 6), "too few: {kinds:?}");
    }
}

/// To look at each access takes seven times as long.
#[test]
#[ignore = "it needs a GPU; the tests above give it an emulated one"]
fn some_on_this_gpu() {
    compare(0..16);
}

/// Compares networks on a GPU with the CPU's. Returns how many layers of each kind there were.
fn compare(seeds: Range<u64>) -> BTreeMap<&'static str, usize> {
    let (mut worst, mut kinds) = (0.0f64, BTreeMap::new());
    for case in seeds.filter_map(Case::random) {
        for layer in &case.spec.layers {
            *kinds.entry(layer.operation.kind()).or_insert(0) += 1;
        }
        if case.spec.layers[0].operation.kind() != "conv" {
            *kinds.entry("another first").or_insert(0) += 1;
        }
        let of = |kind| case.came(DeviceName::new(kind, 0).unwrap());
        let (cpu, gpu, again) = (of(Kind::Cpu), of(Kind::Cuda), of(Kind::Cuda));
        let what = format!("seed {}: {:?}", case.seed, case.spec);
        assert!(gpu == again, "the same bits twice: {what}");
        worst = worst.max(cpu.far_from(&gpu, &what));
    }
    println!("the largest difference is {worst:.1e} of the largest value");
    kinds
}

/// Random numbers for a test.
struct Random(Philox);

impl Random {
    fn below(&mut self, count: usize) -> usize {
        self.0.below(count as u32) as usize
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// A network, with images.
struct Case {
    spec: Spec,
    seed: u64,
    batch: usize,
    side: usize,
    /// Side of the mean image.
    frame: usize,
    /// RGB, image by image.
    pixels: Vec<u8>,
    /// Planes of the mean image, if one is subtracted.
    mean: Option<Vec<f32>>,
}

/// What a device came to.
#[derive(PartialEq)]
struct Came {
    losses: Vec<(f64, u32, u32)>,
    /// With names for messages.
    numbers: Vec<(String, Vec<f32>)>,
}

impl Case {
    /// `None` if the random layers do not fit.
    fn random(seed: u64) -> Option<Self> {
        let mut random = Random(Philox::new(seed, Purpose::Benchmark, 7, 7));
        let side = 7 + random.below(14);
        let mut layers: Vec<Layer> = Vec::new();
        let mut channels = 3;
        if random.below(4) == 0 {
            extras(&mut random, &mut layers);
        }
        for number in 0..random.below(4) {
            let (layer, next) = convolution(&mut random, number, channels);
            channels = next;
            layers.push(layer);
            extras(&mut random, &mut layers);
        }
        for number in 0..random.below(2) {
            layers.push(fully_connected(&format!("fc{number}"), Some(4 + random.below(30))));
            extras(&mut random, &mut layers);
        }
        layers.push(fully_connected("last", None));
        let spec = Spec::new(&layers, Shape::new(3, side, side), CLASSES).ok()?;
        let batch = 2 + random.below(6);
        let pixels = (0..batch * side * side * 3).map(|_| random.below(256) as u8).collect();
        // The mean image may be larger than the crop.
        let frame = side + random.below(3);
        let mean = (random.below(2) == 0).then(|| (0..3 * frame * frame).map(|i| (i % 97) as f32 + 60.5).collect());
        Some(Self {
            spec,
            seed,
            batch,
            side,
            frame,
            pixels,
            mean,
        })
    }

    fn slot(&self, writer: &dyn RowWriter) -> Arc<Slot> {
        let (plane, of_mean) = (self.side * self.side, self.frame * self.frame);
        let write = |image: usize, row: &mut [u8]| {
            let subtract = match &self.mean {
                None => Subtract::Channel([120.0, 110.0, 100.0]),
                Some(mean) => Subtract::Image {
                    planes: [0, 1, 2].map(|channel| &mean[channel * of_mean..][..of_mean]),
                    at: (self.frame - self.side) * (self.frame + image % 2),
                    line: self.frame,
                },
            };
            let view = View {
                pixels: &self.pixels[image * plane * 3..][..plane * 3],
                line: 3 * self.side,
                flip: image % 2 == 1,
                mix: (image % 3 == 1).then_some([[0.9, 0.1, 0.0, 3.0], [0.0, 0.8, 0.2, -3.0], [0.1, 0.1, 0.8, 0.0]]),
                subtract,
                colour: [1.0, -2.0, image as f32],
                scale: [1.0 / 64.0; 3],
                hole: (image % 4 == 2).then_some(Hole {
                    x: 1,
                    y: 2,
                    width: 4,
                    height: 3,
                }),
            };
            writer.write(&view, row);
        };
        Arc::new(Slot::filled(self.batch, writer.row_bytes(), write).unwrap())
    }

    fn came(&self, name: DeviceName) -> Came {
        let job = Job {
            seed: self.seed,
            method: Method::Direct,
            threads: 2,
            mean_side: self.mean.as_ref().map_or(0, |_| self.frame),
            ..Job::new(&self.spec, self.batch)
        };
        let mut device = devices::build_alone(&job, name).unwrap();
        let mut whole = init::parameters(&self.spec, self.seed, 1).unwrap();
        device.load(&whole).unwrap();
        if let Some(mean) = &self.mean {
            device.take_mean(mean).unwrap();
        }
        let mut slot = self.slot(&*devices::row_writer(name, self.side));
        device.pin(Arc::get_mut(&mut slot).unwrap()).unwrap();
        let mut came = Came {
            losses: Vec::new(),
            numbers: Vec::new(),
        };
        for step in 0..3 {
            self.step(&mut *device, &slot, step, &mut came);
        }
        device.store(&mut whole).unwrap();
        for Parameter {
            name, value, momentum, ..
        } in whole
        {
            came.numbers.push((format!("{name}'s momentum"), momentum));
            came.numbers.push((name, value));
        }
        came
    }

    /// A step, of which the last has fewer rows; then an evaluation.
    fn step(&self, device: &mut dyn Device, slot: &Arc<Slot>, step: u64, came: &mut Came) {
        let rows = if step == 2 { self.batch - 1 } else { self.batch };
        let rate = Rate {
            lr: 0.02,
            momentum: 0.9,
            weight_decay: 5e-4,
            frozen: false,
        };
        let parameters: Vec<_> = self.spec.parameter_specs().collect();
        let rates: Vec<Rate> = (0..parameters.len())
            .map(|number| Rate {
                lr: rate.lr * (1 + number % 2) as f32,
                frozen: step == 1 && number == 1,
                ..rate
            })
            .collect();
        let targets = Targets::new((0..rows).map(|row| (((row + step as usize) % CLASSES) as u32, row % 3 != 2)));
        device.copy_rows(slot, rows).unwrap().wait().unwrap();
        let loss = device.train(step, &targets, &rates).unwrap().wait().unwrap();
        came.losses.push((loss.sum, loss.present, loss.correct));
        let inside = device.inspect().unwrap();
        came.numbers.push((format!("scores of step {step}"), inside.logits));
        for (gradient, parameter) in inside.gradients.into_iter().zip(&parameters) {
            came.numbers
                .push((format!("{}'s gradient of step {step}", parameter.name()), gradient));
        }
        device.copy_rows(slot, rows).unwrap().wait().unwrap();
        let outputs = device.evaluate().unwrap().wait().unwrap();
        came.numbers.push((format!("outputs after step {step}"), outputs));
    }
}

impl Came {
    /// The largest difference, as a share of the largest value beside it.
    fn far_from(&self, other: &Self, what: &str) -> f64 {
        let mut worst = 0.0f64;
        for ((a, present, correct), (b, of, right)) in self.losses.iter().zip(&other.losses) {
            assert_eq!((present, correct), (of, right), "{what}");
            assert!(
                (a - b).abs() <= 1e-4 * a.abs().max(1.0),
                "a loss of {b}, and {a} on a CPU: {what}"
            );
        }
        for ((name, a), (_, b)) in self.numbers.iter().zip(&other.numbers) {
            assert_eq!(a.len(), b.len(), "{name}: {what}");
            let largest = a.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
            let far = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            let far = f64::from(far) / f64::from(largest).max(1e-12);
            assert!(
                far <= 3e-4,
                "{name}: {far:.1e} of the largest value, {largest}, away: {what}"
            );
            worst = worst.max(far);
        }
        worst
    }
}

fn convolution(random: &mut Random, number: usize, inputs: usize) -> (Layer, usize) {
    // Groups of whole chunks, groups of odd numbers of channels, or none.
    let fitting: Vec<usize> = [1, 1, 2, 3]
        .into_iter()
        .filter(|groups| inputs.is_multiple_of(*groups))
        .collect();
    let groups = random.of(&fitting);
    let channels = groups * random.of(&[1, 2, 4, 5, 8]);
    let layer = Layer::Convolution(Convolution {
        name: format!("conv{number}"),
        channels,
        kernel: 1 + random.below(5),
        stride: random.of(&[1, 1, 2, 3]),
        padding: random.below(3),
        groups,
        partial_windows: random.below(2) == 0,
        init: Init::He,
        bias: 0.1,
    });
    (layer, channels)
}

fn fully_connected(name: &str, outputs: Option<usize>) -> Layer {
    Layer::FullyConnected(FullyConnected {
        name: name.to_owned(),
        outputs,
        init: Init::He,
        bias: 0.1,
    })
}

/// Some of the layers without parameters, in any order.
fn extras(random: &mut Random, layers: &mut Vec<Layer>) {
    for _ in 0..random.below(4) {
        let layer = match random.below(6) {
            0 | 1 => Layer::Relu,
            2 => Layer::Tanh,
            3 => Layer::Lrn(Lrn {
                size: random.of(&[1, 2, 3, 5, 5, 7, 19]),
                alpha: 0.3,
                beta: random.of(&[0.75, 0.6]),
                k: 1.5,
                divide_by_size: false,
            }),
            4 => Layer::MaxPool(MaxPool {
                size: 1 + random.below(4),
                stride: 1 + random.below(3),
                partial_windows: random.below(3) == 0,
            }),
            _ => Layer::Dropout(Dropout { p: 0.4 }),
        };
        layers.push(layer);
    }
}
