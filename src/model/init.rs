//! Initial weights (paper, section 5; He et al. 2015), the same bits on every machine and with any number of threads.
//!
//! They are drawn as a whole, so that a device's share does not depend on the placement.

use super::{ModelError, Parameter, Spec};
use crate::config::model::Init;
use crate::devices::cpu::Threads;
use crate::memory::zeroed;
use crate::rng::{Philox, Purpose};

/// Weights per task: a multiple of the four numbers in a block of the generator.
const PART: usize = 4096;

/// The parameters of `spec` before the first step, drawn from `seed` by `threads` threads.
pub fn parameters(spec: &Spec, seed: u64, threads: usize) -> Result<Vec<Parameter>, ModelError> {
    let threads = Threads::new("init", threads).map_err(ModelError::threads(threads))?;
    let parameters = spec.parameter_specs().map(|of| {
        let len = of.shape().iter().product();
        let mut value = zeroed("parameters", len)?;
        if of.is_bias {
            value.fill(of.start.bias);
        } else {
            let sigma = sigma(of.start.init, of.start.fan_in());
            draw(&threads, seed, of.start.number, sigma, &mut value);
        }
        Ok(Parameter {
            name: of.name(),
            shape: of.shape().to_vec(),
            value,
            momentum: zeroed("momentum", len)?,
        })
    });
    parameters.collect()
}

/// σ of the normal distribution for `init`, with `fan_in` inputs.
fn sigma(init: Init, fan_in: usize) -> f64 {
    match init {
        Init::Gaussian(sigma) => f64::from(sigma),
        Init::He => libm::sqrt(2.0 / fan_in as f64),
        Init::FanIn => libm::sqrt(1.0 / fan_in as f64),
    }
}

/// Draws the weights of the `layer`-th layer with parameters from N(0, σ).
fn draw(threads: &Threads, seed: u64, layer: u32, sigma: f64, weights: &mut [f32]) {
    threads.each_part(weights, PART, |i, weights| {
        let mut random = Philox::new(seed, Purpose::Init, layer, 0).at_block((i * PART / 4) as u32);
        for pair in weights.chunks_mut(2) {
            let (a, b) = random.normal_pair();
            for (weight, draw) in pair.iter_mut().zip([a, b]) {
                *weight = (sigma * draw) as f32;
            }
        }
    });
}
