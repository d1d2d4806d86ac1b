//! Input and compute overlap: together they take far less time than one after the other.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use pipeline::control::{self, Ending, Watch};
use pipeline::devices::row::{RowWriter, View};
use pipeline::flow::Stop;
use pipeline::topology;

use crate::given::{self, Given};

const STEPS: u32 = 16;
const BATCH: u32 = 16;

/// Writes rows as the device would, each after a pause: an input of any slowness on any machine.
struct Slow {
    inner: Arc<dyn RowWriter>,
    pause: Duration,
}

impl RowWriter for Slow {
    fn row_bytes(&self) -> usize {
        self.inner.row_bytes()
    }
    fn write(&self, view: &View<'_>, row: &mut [u8]) {
        thread::sleep(self.pause);
        self.inner.write(view, row);
    }
}

const SMALL: &str = r#"model.layers=[{ type = "fc", name = "fc" }]"#;
const LARGE: &str = r#"model.layers=[
    { type = "conv", name = "conv1", channels = 64, kernel = 5, padding = 2 }, { type = "relu" },
    { type = "max_pool", size = 3, stride = 2 },
    { type = "conv", name = "conv2", channels = 64, kernel = 5, padding = 2 }, { type = "relu" },
    { type = "fc", name = "fc3" }]"#;

fn time(given: &Given, model: &str, pause: Duration) -> Duration {
    let steps = format!("run.steps={STEPS}");
    let batch = format!("staging.batch={BATCH}");
    let mut plan = given.plan(&[model, &steps, &batch, "compute.threads=1", "evaluate.every_epochs=1000"]);
    if !pause.is_zero() {
        plan.writer = Arc::new(Slow {
            inner: Arc::clone(&plan.writer),
            pause,
        });
    }
    let stop = Stop::default();
    let listen = |reports: pipeline::stages::compute::Reports| reports.pass(|_| {});
    let topology = topology::training(&plan, given::beginning(&plan), &stop, listen).expect("the layers exist");
    let watch = Watch {
        stall_after: Duration::from_mins(1),
        on_fault: Box::new(|_, _| {}),
        on_stop: Box::new(|| {}),
    };
    let start = Instant::now();
    let ending = control::supervise(topology, &stop, watch);
    assert!(matches!(ending, Ending::Finished), "{ending:?}");
    start.elapsed()
}

/// The input is made to take as long as the step. Ideally, both together then take half of the sum. The test asks for 0.8 in
/// the best of a few attempts, since other processes may slow down a step.
#[test]
fn input_and_step_overlap() {
    let given = Given::new(16, 1);
    let mut tried = Vec::new();
    for _ in 0..4 {
        let step = time(&given, LARGE, Duration::ZERO);
        let input = time(&given, SMALL, step / (STEPS * BATCH));
        // The premise: an input that takes almost no time would overlap with anything.
        assert!(input * 2 >= step, "input {input:?}, step {step:?}");
        let both = time(&given, LARGE, step / (STEPS * BATCH));
        if both < (step + input).mul_f64(0.8) {
            return;
        }
        tried.push((step, input, both));
    }
    panic!("no overlap (step, input, both): {tried:?}");
}
