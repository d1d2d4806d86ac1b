//! `pipeline bench input`: images per second from the files to whole batches.

use std::sync::{Arc, mpsc};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};

use super::{bare, median};
use crate::cli::run::ending;
use crate::cli::{ConfigArgs, Failure, statistics};
use crate::control::{self, Watch};
use crate::dataset::statistics::Statistics;
use crate::flow::{Stop, Verdict};
use crate::observe::memory::Peak;
use crate::observe::metrics;
use crate::observe::terminal::{self, answer, tell};
use crate::plan::Plan;
use crate::stages::decode::Raw;
use crate::stages::messages::Batch;
use crate::topology;

#[derive(Args)]
pub(super) struct InputArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Epochs to time, after one for warm-up
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    epochs: u32,
    /// Also times a bare loop over the same images after each epoch: the upper limit
    #[arg(long)]
    bare: bool,
    /// Prints the result as a JSON object
    #[arg(long)]
    json: bool,
}

/// The results of one epoch.
struct Round {
    images_per_s: f64,
    refused: u64,
    verdict: Option<Verdict>,
}

/// The results of all epochs.
struct Measured<'a> {
    plan: &'a Plan,
    threads: usize,
    /// Images per second of each epoch.
    rates: Vec<f64>,
    /// The same of the bare loop; empty without it.
    bare: Vec<f64>,
    last: Round,
    /// Anonymous memory at its peak, in bytes.
    peak: Option<u64>,
}

pub(super) fn main(args: &InputArgs, quiet: bool) -> Result<(), Failure> {
    let config = args.config.read()?;
    let mut plan = Plan::new(config).map_err(Failure::usage)?;
    let quiet = quiet || args.json;
    let statistics = statistics::obtain(&plan, None, quiet)?;
    plan.itinerary.val_samples = 0;
    plan.itinerary.steps = u64::from(plan.itinerary.steps_per_epoch());
    let measured = measure(args, &plan, statistics.as_ref(), quiet)?;
    if args.json {
        terminal::json(&measured.json());
    } else {
        measured.print();
    }
    Ok(())
}

fn measure<'a>(
    args: &InputArgs,
    plan: &'a Plan,
    statistics: Option<&Statistics>,
    quiet: bool,
) -> Result<Measured<'a>, Failure> {
    let threads = available_parallelism().map_or(1, usize::from);
    let peak = Peak::watch();
    // The first epoch fills caches and buffers.
    let mut last = epoch(plan, statistics)?;
    let (mut rates, mut bares) = (Vec::new(), Vec::new());
    for number in 1..=args.epochs {
        last = epoch(plan, statistics)?;
        rates.push(last.images_per_s);
        if args.bare {
            bares.push(bare(plan, statistics, threads)?);
        }
        if !quiet {
            let bare = bares
                .last()
                .map_or(String::new(), |rate| format!("   bare loop {rate:.0}"));
            tell!(
                "epoch {number}/{}: {:.0} images/s{bare}",
                args.epochs,
                last.images_per_s
            );
        }
    }
    Ok(Measured {
        plan,
        threads,
        rates,
        bare: bares,
        last,
        peak: peak.bytes(),
    })
}

impl Measured<'_> {
    /// The median ratio to the bare loop, whose epochs alternate with ours.
    fn ratio(&self) -> f64 {
        let ratios: Vec<f64> = self
            .rates
            .iter()
            .zip(&self.bare)
            .map(|(ours, bare)| ours / bare)
            .collect();
        median(&ratios)
    }

    fn json(&self) -> Value {
        let mut object = json!({
            "images_per_s": median(&self.rates), "epochs": self.rates, "images": self.plan.itinerary.samples_per_epoch(),
            "skipped": self.last.refused, "peak_anonymous_bytes": self.peak, "planned_bytes": planned(self.plan),
        });
        if let Some(verdict) = &self.last.verdict {
            object["stages"] = metrics::stages(verdict);
            object["verdict"] = verdict.text.clone().into();
        }
        if !self.bare.is_empty() {
            object["bare_images_per_s"] = median(&self.bare).into();
            object["ratio"] = self.ratio().into();
        }
        object
    }

    fn print(&self) {
        answer!(
            "input        {:.0} images/s (median of {} epochs of {} images)",
            median(&self.rates),
            self.rates.len(),
            self.plan.itinerary.samples_per_epoch()
        );
        if !self.bare.is_empty() {
            answer!(
                "bare loop    {:.0} images/s on {} threads",
                median(&self.bare),
                self.threads
            );
            answer!("ratio        {:.2}", self.ratio());
        }
        if let Some(bytes) = self.peak {
            answer!(
                "memory       {:.1} MB anonymous at its peak; planned {:.1} MB",
                bytes as f64 / 1e6,
                planned(self.plan) as f64 / 1e6
            );
        }
        if let Some(verdict) = &self.last.verdict {
            for share in &verdict.stages {
                let [busy, input, room] = [share.busy, share.input_wait, share.room_wait].map(|share| 100.0 * share);
                let (name, workers) = (share.name, share.workers);
                answer!(
                    "{name:<12} {workers:.1} workers: busy {busy:.0} %, waiting for input {input:.0} %, for downstream {room:.0} %"
                );
            }
            answer!("verdict      {}", verdict.text);
        }
        if self.last.refused > 0 {
            answer!("skipped      {} images", self.last.refused);
        }
    }
}

/// The rate of the bare loop for this kind of data.
fn bare(plan: &Plan, statistics: Option<&Statistics>, threads: usize) -> Result<f64, Failure> {
    let data = &plan.sets.train;
    if Raw::find(data, 0).map_err(Failure::failed)?.is_some() {
        bare::rows(plan, statistics, threads)
    } else {
        bare::decode(data, threads)
    }
}

/// The planned memory of the input's stages.
fn planned(plan: &Plan) -> u64 {
    let buffers = plan.buffers();
    let bytes = buffers.slots + buffers.crops(plan.workspace) + plan.workspace * buffers.decoders;
    bytes.get()
}

/// One epoch through the input. The clock starts when every slot has been used once, because its memory is new until then,
/// and stops at the last batch.
fn epoch(plan: &Plan, statistics: Option<&Statistics>) -> Result<Round, Failure> {
    let stop = Stop::default();
    let (arrived, arrivals) = mpsc::sync_channel(1);
    let start = Instant::now();
    let warm = plan.config.staging.slots.get() as u64;
    let (mut first, mut images, mut refused) = (None, 0_u64, 0_u64);
    let delivered = move |batch: &Batch| {
        let (now, header) = (Instant::now(), batch.header);
        refused += batch.facts.iter().filter(|fact| fact.refused.is_some()).count() as u64;
        images += batch.facts.iter().filter(|fact| !fact.is_padding).count() as u64;
        if header.serial < warm || first.is_none() {
            first = Some((now, images));
        }
        let (since, before) = first.unwrap_or((start, 0));
        if header.end_of_run {
            // With so few batches, all of them count.
            let (time, images) = if images > before {
                (now - since, images - before)
            } else {
                (now - start, images)
            };
            let round = Round {
                images_per_s: images as f64 / time.as_secs_f64(),
                refused,
                verdict: None,
            };
            // The receiver waits for this until the flow has ended.
            let _ = arrived.send(round);
        }
    };
    let topology = topology::feeding(plan, statistics, &stop, delivered).map_err(Failure::plan)?;
    let meters = Arc::clone(&topology.meters);
    let before = meters.read();
    let watch = Watch::silent(Duration::from_secs(u64::from(plan.config.run.stall_after_s)));
    ending(control::supervise(topology, &stop, watch), || {
        "stopped before the end; there is no result".to_string()
    })?;
    let round = arrivals
        .try_recv()
        .map_err(|_| Failure::Internal("the input ended before its last batch".to_string()))?;
    Ok(Round {
        verdict: Verdict::new(&before, &meters.read()),
        ..round
    })
}
