//! In the steady state our code allocates nothing per sample: a step with 96 rows makes as many allocations as one with 16.
//!
//! What remains is allocated per batch (the contents of its rows, their labels and weights, the learning rates of its step, the
//! tasks that its operations hand to the thread pool) or per epoch (the order of its samples).

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::channel;
use std::time::Duration;

use pipeline::control::{self, Ending, Watch};
use pipeline::flow::Stop;
use pipeline::stages::compute::{Report, Reports};
use pipeline::topology;

#[allow(dead_code, reason = "each test target uses its part")]
mod given;

/// Counts what Rust code allocates. libjpeg-turbo allocates in C, which is not counted.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call is forwarded to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: the caller upholds the contract.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller upholds the contract.
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: the caller upholds the contract.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Allocations per step, in the steady state of a run with batches of `batch` rows.
fn of_a_step(batch: u64) -> f64 {
    let given = given::Given::new(64, 1);
    let batch = format!("staging.batch={batch}");
    // The smallest network: the test is about the path of samples to the device, not about operations.
    let sets = [
        "model.layers=[{ type = \"fc\", name = \"fc\" }]",
        &batch,
        "run.epochs=40",
        "evaluate.every_epochs=1000",
        "checkpoint.every_steps=100000",
        "compute.threads=1",
    ];
    let plan = given.plan(&sets);
    let (tx, rx) = channel();
    let listen = move |reports: Reports| {
        let mut counts = Vec::with_capacity(1000);
        reports.pass(|report| {
            if let Report::Step { .. } = report {
                counts.push(ALLOCATIONS.load(Relaxed));
            }
        })?;
        tx.send(counts).expect("the test listens");
        Ok(())
    };
    let stop = Stop::default();
    let topology = topology::training(&plan, given::beginning(&plan), &stop, listen).expect("the layers exist");
    let watch = Watch {
        stall_after: Duration::from_secs(30),
        on_fault: Box::new(|_, _| {}),
        on_stop: Box::new(|| {}),
    };
    assert!(matches!(control::supervise(topology, &stop, watch), Ending::Finished));
    let counts = rx.recv().expect("the listener has ended");
    // Buffers reach their final size within a few epochs; the evaluation follows the last step.
    let window = &counts[counts.len() / 2..counts.len() - 1];
    (window[window.len() - 1] - window[0]) as f64 / (window.len() - 1) as f64
}

#[test]
fn no_allocation_is_made_per_sample() {
    let (small, large) = (of_a_step(16), of_a_step(96));
    eprintln!("allocations of a step: {small:.1} with 16 rows, {large:.1} with 96");
    assert!(large < 0.9 * 96.0, "{large} allocations in a step of 96 samples");
    let for_a_row = (large - small) / 80.0;
    assert!(for_a_row < 0.1, "each additional row costs {for_a_row:.3} allocations");
}
