//! Readings of simulated flows.

use std::time::Duration;

use pipeline::flow::meter::StageReading;
use pipeline::flow::{Reading, Role};

/// A simulated flow in a steady state.
#[derive(Clone, Debug)]
pub struct Made {
    pub images_per_s: f64,
    /// The share of time that decode is busy.
    pub decode: f64,
    pub open_decoders: usize,
    /// The share of time that the device is busy.
    pub cpu: f64,
    pub cores_busy: f64,
    pub cores: usize,
}

const TICK: f64 = 2.0;

/// A stage that has just started.
pub fn stage(name: &'static str, role: Role, workers: usize) -> StageReading {
    StageReading {
        name,
        role,
        workers,
        open: workers,
        has_gate: name == "decode",
        can_widen: name == "decode",
        remedy: if name == "decode" { "smaller images" } else { "" },
        items: 0,
        running: Duration::ZERO,
        parked: Duration::ZERO,
        input_wait: Duration::ZERO,
        room_wait: Duration::ZERO,
    }
}

/// The reading two seconds after `before` in the flow `made`: decode has 8 workers, some of them parked.
pub fn reading(before: Option<&Reading>, made: &Made) -> Reading {
    let start = || Reading {
        at: Duration::ZERO,
        cpu: Duration::ZERO,
        cores: made.cores,
        images: 0,
        stages: vec![
            stage("source", Role::Input, 1),
            stage("decode", Role::Input, 8),
            stage("cpu", Role::Device, 1),
        ],
    };
    let mut reading = before.cloned().unwrap_or_else(start);
    let seconds = |seconds: f64| Duration::from_secs_f64(seconds);
    reading.at += seconds(TICK);
    reading.cpu += seconds(TICK * made.cores_busy);
    reading.images += (made.images_per_s * TICK) as u64;
    for stage in &mut reading.stages {
        stage.running += seconds(TICK * stage.workers as f64);
        match stage.name {
            "decode" => {
                stage.open = made.open_decoders;
                stage.parked += seconds(TICK * (8 - made.open_decoders) as f64);
                stage.room_wait += seconds(TICK * made.open_decoders as f64 * (1.0 - made.decode));
            }
            "cpu" => stage.input_wait += seconds(TICK * (1.0 - made.cpu)),
            _ => stage.room_wait += seconds(TICK * 0.99),
        }
    }
    reading
}
