//! The loss of one worker ends the whole flow and names the cause, however many other workers its stage has.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use pipeline::control::{self, Ending, Watch};
use pipeline::devices::row::{RowWriter, View};
use pipeline::flow::{Exit, Fault, Slot, Stop, Stopwatch};
use pipeline::model::{Device, DeviceError, Inside, Lap, Memory, Parameter, Peak, Running, Targets, checkpoint};
use pipeline::ops::sgd::Rate;
use pipeline::ops::softmax::Loss;
use pipeline::plan::Crew;
use pipeline::stages::compute::Reports;
use pipeline::topology;

use crate::given::{self, Given};
use crate::simulated::{Break, Simulated};

/// Writes rows as the device would, and panics at one of them.
struct Panicking {
    inner: Arc<dyn RowWriter>,
    rows: AtomicU64,
    at: u64,
    when: Arc<Mutex<Option<Instant>>>,
}

impl RowWriter for Panicking {
    fn row_bytes(&self) -> usize {
        self.inner.row_bytes()
    }
    fn write(&self, view: &View<'_>, row: &mut [u8]) {
        if self.rows.fetch_add(1, SeqCst) == self.at {
            *self.when.lock().expect("no panic while it is held") = Some(Instant::now());
            panic!("row {} cannot be written", self.at);
        }
        self.inner.write(view, row);
    }
}

/// How a run ended, and when the fault was first reported.
struct Ended {
    ending: Ending,
    told: Option<(String, Instant)>,
}

/// Runs `run` on its own thread, so that a flow that hangs does not hang the tests.
pub fn within<T: Send + 'static>(limit: Duration, run: impl FnOnce() -> T + Send + 'static) -> T {
    let (tx, rx) = mpsc::channel();
    let thread = thread::spawn(move || tx.send(run()).expect("the test listens"));
    match rx.recv_timeout(limit) {
        Ok(value) => value,
        Err(RecvTimeoutError::Timeout) => panic!("the flow hangs"),
        Err(RecvTimeoutError::Disconnected) => match thread.join() {
            Err(payload) => std::panic::resume_unwind(payload),
            Ok(()) => unreachable!("it has said how it ended"),
        },
    }
}

fn supervised(
    sets: &'static [&'static str],
    panic_at: Option<u64>,
    listen: impl FnOnce(Reports) -> Result<(), Fault> + Send + 'static,
    after: impl FnOnce(&std::path::Path) + Send + 'static,
) -> (Ended, Option<Instant>) {
    within(Duration::from_secs(30), move || {
        let given = Given::new(20, 2);
        let mut plan = given.plan(sets);
        let when = Arc::new(Mutex::new(None));
        if let Some(at) = panic_at {
            let (inner, when) = (Arc::clone(&plan.writer), Arc::clone(&when));
            plan.writer = Arc::new(Panicking {
                inner,
                rows: AtomicU64::new(0),
                at,
                when,
            });
        }
        let stop = Stop::default();
        let topology = topology::training(&plan, given::beginning(&plan), &stop, listen).expect("the layers exist");
        let told = Arc::new(Mutex::new(None));
        let note = Arc::clone(&told);
        let watch = Watch {
            stall_after: Duration::from_mins(10),
            on_fault: Box::new(move |stage, exit| {
                let mut first = note.lock().expect("no panic while it is held");
                first.get_or_insert((format!("{stage}: {exit}"), Instant::now()));
            }),
            on_stop: Box::new(|| {}),
        };
        let ending = control::supervise(topology, &stop, watch);
        after(&plan.config.run.out.join("checkpoints"));
        let told = told.lock().expect("no panic while it is held").take();
        let when = when.lock().expect("no panic while it is held").take();
        (Ended { ending, told }, when)
    })
}

#[test]
fn without_a_loss_the_same_flow_finishes() {
    let (ended, _) = supervised(
        &["decode.workers=3", "augment.workers=3"],
        None,
        |reports| reports.pass(|_| {}),
        |_| {},
    );
    assert!(matches!(ended.ending, Ending::Finished), "{:?}", ended.ending);
    assert_eq!(ended.told.map(|(text, _)| text), None);
}

/// The rows before the panic fill some batches; the batch of the lost row can never be completed.
#[test]
fn a_panic_of_one_worker_among_many_ends_the_flow_and_leaves_the_last_checkpoint() {
    for sets in [
        &["decode.workers=3", "augment.workers=3", "run.epochs=40"][..],
        &["decode.workers=1", "augment.workers=1", "run.epochs=40"],
        &[
            "decode.workers=3",
            "augment.workers=2",
            "run.epochs=40",
            "decode.queue=1",
            "augment.queue=1",
            "staging.queue=1",
        ],
    ] {
        let (ended, panicked) = supervised(
            sets,
            Some(150),
            |reports| reports.pass(|_| {}),
            |checkpoints| {
                let newest = checkpoint::list(checkpoints)
                    .expect("the folder")
                    .into_iter()
                    .next_back()
                    .expect("one at step 0 at least");
                // 150 rows are a little over 9 batches (an epoch of 60 has 4); the batch of the lost row is never computed.
                assert!(newest.0 <= 10, "step {}", newest.0);
                assert!(checkpoint::read(&newest.1).is_ok());
            },
        );
        let Ending::Faulted {
            stage: "augment",
            exit: Exit::Panicked(message),
        } = ended.ending
        else {
            panic!("{:?}", ended.ending)
        };
        assert!(message.starts_with("row 150 cannot be written (at "), "{message}");
        let (text, told) = ended.told.expect("the fault was told");
        assert_eq!(text, format!("augment: panicked: {message}"));
        let waited = told.duration_since(panicked.expect("it panicked"));
        assert!(waited < Duration::from_secs(5), "told after {waited:?}");
    }
}

#[test]
fn a_listener_that_fails_ends_the_run_with_its_reason() {
    let fail = |reports: Reports| {
        for _ in 0..4 {
            reports.next()?;
        }
        Err(Fault::failed("metrics.jsonl: no space left"))
    };
    let (ended, _) = supervised(&["run.epochs=2000"], None, fail, |_| {});
    let Ending::Faulted { stage: "record", exit } = ended.ending else {
        panic!("{:?}", ended.ending)
    };
    assert_eq!(exit.to_string(), "metrics.jsonl: no space left");
}

#[test]
fn a_listener_that_panics_does_so_too() {
    let (ended, _) = supervised(&["run.epochs=2000"], None, |_| panic!("no terminal"), |_| {});
    let Ending::Faulted {
        stage: "record",
        exit: Exit::Panicked(message),
    } = ended.ending
    else {
        panic!("{:?}", ended.ending)
    };
    assert!(message.starts_with("no terminal"), "{message}");
}

/// A device that panics in its fourth step, while the others compute theirs.
struct Breaking(Box<dyn Device>);

impl Device for Breaking {
    fn load(&mut self, whole: &[Parameter]) -> Result<(), DeviceError> {
        self.0.load(whole)
    }
    fn store(&mut self, whole: &mut [Parameter]) -> Result<(), DeviceError> {
        self.0.store(whole)
    }
    fn take_mean(&mut self, planes: &[f32]) -> Result<(), DeviceError> {
        self.0.take_mean(planes)
    }
    fn pin(&mut self, slot: &mut Slot) -> Result<(), DeviceError> {
        self.0.pin(slot)
    }
    fn copy_rows(&mut self, slot: &Arc<Slot>, in_use: usize) -> Result<Running<()>, DeviceError> {
        self.0.copy_rows(slot, in_use)
    }
    fn is_asynchronous(&self) -> bool {
        self.0.is_asynchronous()
    }
    fn peak(&mut self) -> Result<Peak, DeviceError> {
        self.0.peak()
    }
    fn train(&mut self, step: u64, targets: &Targets, rates: &[Rate]) -> Result<Running<Loss>, DeviceError> {
        assert!(step < 3, "step {step} cannot be computed");
        self.0.train(step, targets, rates)
    }
    fn evaluate(&mut self) -> Result<Running<Vec<f32>>, DeviceError> {
        self.0.evaluate()
    }
    fn waits(&self) -> Option<Arc<Stopwatch>> {
        self.0.waits()
    }
    fn time_passes(&mut self) {
        self.0.time_passes();
    }
    fn take_laps(&mut self) -> Result<Vec<Lap>, DeviceError> {
        self.0.take_laps()
    }
    fn memory(&self) -> Memory {
        self.0.memory()
    }
    fn inspect(&mut self) -> Result<Inside, DeviceError> {
        self.0.inspect()
    }
}

/// How a run on two devices ends of which the second panics.
fn with_a_broken_device(parallel: &'static str) -> (&'static str, String) {
    let ending = within(Duration::from_secs(30), move || {
        let given = Given::new(20, 2);
        let devices = "compute.devices=[\"cpu:0\", \"cpu:1\"]";
        let plan = given.plan(&[devices, parallel, "run.epochs=1000"]);
        let mut beginning = given::beginning(&plan);
        let second = beginning.devices.pop().expect("two devices");
        beginning.devices.push(Box::new(Breaking(second)));
        let stop = Stop::default();
        let topology = topology::training(&plan, beginning, &stop, |reports| reports.pass(|_| {}));
        let topology = topology.expect("the layers exist");
        control::supervise(topology, &stop, Watch::silent(Duration::from_mins(10)))
    });
    match ending {
        Ending::Faulted {
            stage,
            exit: Exit::Panicked(message),
        } => (stage, message),
        ending => panic!("{parallel}: {ending:?}"),
    }
}

/// The other device waits for this one's results, and compute waits for both.
#[test]
fn a_panic_of_one_device_ends_the_run_with_its_name() {
    for parallel in ["compute.parallel=data", "compute.parallel=columns"] {
        let (stage, message) = with_a_broken_device(parallel);
        assert_eq!(stage, "cpu:1", "{parallel}");
        assert!(message.starts_with("step 3 cannot be computed"), "{message}");
    }
}

/// The other workers continue until there is nothing left to do: then every queue is empty, and only one stage is not waiting.
#[test]
fn a_worker_that_hangs_is_named_though_its_stage_has_others() {
    for stuck in ["decode", "augment", "cpu"] {
        let ending = within(Duration::from_secs(60), move || {
            let flow = Simulated {
                crew: Crew { start: 2, max: 2 },
                breaks: Some((stuck, 9, Break::Hang)),
                stall_after: Duration::from_secs(1),
                ..Simulated::of(40)
            };
            flow.run(&Stop::default(), |_, _| {})
        });
        let Ending::Stalled { stage } = ending else {
            panic!("{stuck}: {ending:?}")
        };
        assert_eq!(stage, stuck);
    }
}
