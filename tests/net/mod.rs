//! A network on a device, for tests: it takes slices and panics where a run has errors to handle.

use std::sync::Arc;

use pipeline::config::devices::DeviceName;
use pipeline::flow::Slot;
use pipeline::model::{Device, Inside, Job, Parameter, Running, Spec, Targets, devices, init};
use pipeline::ops::sgd::Rate;
use pipeline::ops::softmax::Loss;

/// A network on a device of its own.
pub struct Net {
    pub spec: Spec,
    pub device: Box<dyn Device>,
    /// All parameters, as they were when they were last asked for.
    whole: Vec<Parameter>,
}

impl Net {
    /// The network of `job` with initial weights from `seed`. (The job's seed is for dropout.)
    pub fn new(job: &Job<'_>, seed: u64) -> Self {
        let mut device = devices::build_alone(job, DeviceName::CPU).expect("there is memory");
        let whole = weights(job, seed);
        device.load(&whole).expect("they are its parameters");
        Self {
            spec: job.spec.clone(),
            device,
            whole,
        }
    }

    /// Takes all parameters from the host.
    pub fn load(&mut self, whole: &[Parameter]) {
        self.device.load(whole).expect("they are its parameters");
    }

    /// All parameters as they are now.
    pub fn parameters(&mut self) -> &[Parameter] {
        self.device.store(&mut self.whole).expect("they are its parameters");
        &self.whole
    }

    /// What the device holds after its latest pass.
    pub fn inside(&mut self) -> Inside {
        self.device.inspect().expect("it is whole")
    }

    /// One step on the images `x`. Rows whose weight is 0 do not count.
    pub fn train(&mut self, x: &[f32], (labels, weights): (&[u32], &[f32]), step: u32, rate: Rate) -> Loss {
        self.copy(x);
        let rows = labels
            .iter()
            .zip(weights)
            .map(|(label, weight)| (*label, *weight != 0.0));
        let rates = vec![rate; self.whole.len()];
        let loss = self.device.train(u64::from(step), &Targets::new(rows), &rates);
        loss.and_then(Running::wait).expect("nobody else is lost")
    }

    /// The softmax outputs of the images `x`.
    pub fn evaluate(&mut self, x: &[f32]) -> Vec<f32> {
        self.copy(x);
        let outputs = self.device.evaluate().and_then(Running::wait);
        outputs.expect("nobody else is lost")
    }

    fn copy(&mut self, x: &[f32]) {
        let rows = x.len() / self.spec.input.len();
        let copied = self.device.copy_rows(&slot(x, rows), rows);
        copied.and_then(Running::wait).expect("nobody else is lost");
    }
}

/// A slot with `rows` images, as rows of a CPU.
pub fn slot(x: &[f32], rows: usize) -> Arc<Slot> {
    let image = x.len() / rows.max(1);
    let row_bytes = (image.max(1) * size_of::<f32>()).next_multiple_of(8);
    let write = |i: usize, row: &mut [u8]| {
        let from: &[u8] = bytemuck::cast_slice(&x[i * image..][..image]);
        row[..from.len()].copy_from_slice(from);
    };
    Arc::new(Slot::filled(rows, row_bytes, write).expect("memory"))
}

/// The initial weights of the network of `job`.
pub fn weights(job: &Job<'_>, seed: u64) -> Vec<Parameter> {
    init::parameters(job.spec, seed, job.threads).expect("there is memory")
}

/// A rate that changes nothing: the device computes gradients and keeps its weights.
pub const FROZEN: Rate = Rate {
    lr: 0.0,
    momentum: 0.0,
    weight_decay: 0.0,
    frozen: true,
};
