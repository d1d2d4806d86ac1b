//! What limits a flow, from two readings of its meters: the busiest stage. Pure arithmetic.
//!
//! All stages process the same images. A stage that is busy for a share *u* of its time could process 1/*u* times as many if
//! its workers were busy all the time. So the stage with the highest *u* limits the whole flow.

use std::time::Duration;

use super::meter::{Reading, Role, StageReading};

/// If even the busiest stage is busy for less than this share of its time, the stages wait for each other.
const BUSY: f64 = 0.6;

/// A share below this counts as nothing.
const NOTHING: f64 = 0.005;

/// How a stage spent its time, as shares of its workers' time.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    /// The stage.
    pub name: &'static str,
    /// Its role in the flow.
    pub role: Role,
    /// Workers that took part, on average.
    pub workers: f64,
    /// Workers that may take items at the end.
    pub open: usize,
    /// All workers, including parked ones.
    pub max: usize,
    /// Whether the number of active workers changes while the flow runs.
    pub has_gate: bool,
    /// Items taken.
    pub items: u64,
    /// Share of the time that they were busy.
    pub busy: f64,
    /// Share of the time that they waited for input.
    pub input_wait: f64,
    /// Share of the time that they waited for room.
    pub room_wait: f64,
    can_widen: bool,
    remedy: &'static str,
}

/// What limited the flow between two readings.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The busiest stage.
    pub stage: &'static str,
    /// The same stage, or `compute` for the device and the stage that drives it.
    pub bound: &'static str,
    /// In words, with numbers.
    pub text: String,
    /// Images per second that the input started on.
    pub images_per_s: f64,
    /// Seconds between the readings.
    pub seconds: f64,
    /// Share of the time that the device waited for input; none if there is no device.
    pub device_wait: Option<f64>,
    /// Cores that were not busy.
    pub free_cores: f64,
    /// Cores that the process may use.
    pub cores: usize,
    /// Every stage, in the data's order.
    pub stages: Vec<Share>,
}

impl Verdict {
    /// What limited the flow from `before` to `after`. None if no time lies between them, or if there are no stages.
    pub fn new(before: &Reading, after: &Reading) -> Option<Self> {
        let time = after.at.saturating_sub(before.at).as_secs_f64();
        if time <= 0.0 {
            return None;
        }
        let pairs = before.stages.iter().zip(&after.stages);
        let stages: Vec<Share> = pairs.map(|(from, to)| Share::new(from, to, time)).collect();
        let busiest = *stages.iter().max_by(|a, b| a.busy.total_cmp(&b.busy))?;
        let cpu = after.cpu.saturating_sub(before.cpu).as_secs_f64() / time;
        let mut verdict = Self {
            stage: busiest.name,
            bound: match busiest.role {
                Role::Driver | Role::Device => "compute",
                Role::Input | Role::Output => busiest.name,
            },
            text: String::new(),
            images_per_s: after.images.saturating_sub(before.images) as f64 / time,
            seconds: time,
            device_wait: stages.iter().find(|s| s.role == Role::Device).map(|s| s.input_wait),
            free_cores: (after.cores as f64 - cpu).max(0.0),
            cores: after.cores,
            stages,
        };
        verdict.text = verdict.words(&busiest);
        Some(verdict)
    }

    /// Whether the processor has no time left for another worker.
    pub fn is_processor_full(&self) -> bool {
        // The system itself may take a tenth of the cores, and up to half a core on larger machines.
        self.free_cores < (0.1 * self.cores as f64).min(0.5)
    }

    /// The share of a stage.
    pub fn share(&self, stage: &str) -> Option<&Share> {
        self.stages.iter().find(|share| share.name == stage)
    }

    fn words(&self, busiest: &Share) -> String {
        if self.images_per_s == 0.0 {
            let seconds = self.seconds;
            return format!(
                "no image passed in {seconds:.1} s; the busiest stage was {}",
                busiest.name
            );
        }
        let mut text = match busiest.role {
            Role::Input => self.input_bound(busiest),
            Role::Driver | Role::Device => self.compute_bound(busiest),
            Role::Output => {
                let text = format!(
                    "limited by {}, busy {} of the time",
                    busiest.name,
                    percent(busiest.busy)
                );
                with_remedy(text, busiest.remedy, "would help")
            }
        };
        if busiest.busy < BUSY {
            text += "; no stage is busy all the time: the stages wait for each other, so more slots or longer queues may help";
        }
        text
    }

    fn compute_bound(&self, busiest: &Share) -> String {
        let who = if busiest.role == Role::Device {
            "the device"
        } else {
            "the stage that drives the device"
        };
        let busy = percent(busiest.busy);
        let inputs = self.stages.iter().filter(|share| share.role == Role::Input);
        let input = inputs.map(|share| share.busy).fold(0.0, f64::max);
        let could = if input < 0.01 {
            "over 100".to_string()
        } else {
            format!("{:.1}", 1.0 / input)
        };
        format!(
            "compute-bound: {who} is busy {busy} of the time; the input could deliver {could} times as many images/s"
        )
    }

    fn input_bound(&self, busiest: &Share) -> String {
        let name = busiest.name;
        let device = self.stages.iter().find(|share| share.role == Role::Device);
        let short = match device {
            None => format!("{:.0} images/s", self.images_per_s),
            Some(device) if device.busy < NOTHING => "the device is almost idle".to_string(),
            Some(device) => format!("{:.0} images/s short", self.images_per_s * (1.0 / device.busy - 1.0)),
        };
        if !busiest.can_widen {
            let text = format!("input-bound at {name}: {short}; this stage has one worker by design");
            return with_remedy(text, busiest.remedy, "would help");
        }
        if self.is_processor_full() {
            let cores = match self.cores {
                1 => "the only core is".to_string(),
                cores => format!("all {cores} cores are"),
            };
            let text = format!("input-bound at {name}: {short}, and {cores} busy: more workers would not help");
            return with_remedy(text, busiest.remedy, "would");
        }
        let (more, gain) = self.widened(busiest);
        let workers = if more == 1 { "worker" } else { "workers" };
        format!(
            "input-bound at {name}: {short}; {more} more {name} {workers} would give about +{:.0} %",
            100.0 * gain
        )
    }

    /// How many more workers the stage needs until another stage or the processor is the bottleneck, and the gain, as a share
    /// of the images per second.
    fn widened(&self, busiest: &Share) -> (usize, f64) {
        let others = self.stages.iter().filter(|share| share.name != busiest.name);
        let next = others.map(|share| share.busy).fold(NOTHING, f64::max);
        // The busy workers now, and how many would bring the next stage to its limit.
        let busy = busiest.workers * busiest.busy;
        let wanted = (busy / next - busiest.workers).ceil().max(1.0);
        let more = wanted.min(self.free_cores.ceil().max(1.0));
        // A fraction of a core gives a fraction of a worker.
        let reached = busiest.workers + more.min(self.free_cores);
        let gain = (reached / busy.max(NOTHING)).min(1.0 / next) - 1.0;
        (more as usize, gain.max(0.0))
    }
}

impl Share {
    fn new(from: &StageReading, to: &StageReading, time: f64) -> Self {
        let of = |from: Duration, to: Duration| to.saturating_sub(from).as_secs_f64();
        let parked = of(from.parked, to.parked);
        let running = (of(from.running, to.running) - parked).max(0.0);
        let (input, room) = (of(from.input_wait, to.input_wait), of(from.room_wait, to.room_wait));
        // The clocks are not read at exactly the same moment, so shares are clamped to 0..1.
        let workers = (to.workers as f64 - parked / time).clamp(1.0, to.workers.max(1) as f64);
        let share = |seconds: f64| (seconds / (workers * time)).clamp(0.0, 1.0);
        Self {
            name: to.name,
            role: to.role,
            workers,
            open: to.open,
            max: to.workers,
            has_gate: to.has_gate,
            items: to.items.saturating_sub(from.items),
            busy: share(running - input - room),
            input_wait: share(input),
            room_wait: share(room),
            can_widen: to.can_widen,
            remedy: to.remedy,
        }
    }
}

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

fn with_remedy(text: String, remedy: &str, verb: &str) -> String {
    if remedy.is_empty() {
        text
    } else {
        format!("{text}; {remedy} {verb}")
    }
}
