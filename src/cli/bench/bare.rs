//! Upper bounds for this processor: loops with only the work that no pipeline can avoid.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use crate::cli::Failure;
use crate::dataset::statistics::Statistics;
use crate::dataset::{Dataset, JpegWriter, ReadError};
use crate::plan::Plan;
use crate::rng;
use crate::stages::decode::{DecodeError, Decoder, Options, Raw, Region};

/// Images per second for `threads` threads that decode every image whole with libjpeg-turbo: no resizing, no rows, no order.
pub(super) fn decode(data: &Dataset, threads: usize) -> Result<f64, Failure> {
    each(data, threads, || {
        let mut decoder = Decoder::new(Options {
            exif: false,
            ..Options::default()
        })
        .map_err(Failure::failed)?;
        let (mut scratch, mut pixels) = (Vec::new(), Vec::new());
        Ok(move |i: usize| {
            let encoded = data.read(i, &mut scratch)?;
            // A damaged image costs time until the damage is reached.
            let mut whole = || {
                let region = Region::whole(decoder.open(encoded)?);
                pixels.resize(region.bytes(), 0);
                decoder.pixels(encoded, region, &mut pixels)
            };
            let _: Result<(), DecodeError> = whole();
            Ok(())
        })
    })
}

/// Images per second for `threads` threads that write a crop of every raw image as a row, into as many rows as all slots have.
pub(super) fn rows(plan: &Plan, statistics: Option<&Statistics>, threads: usize) -> Result<f64, Failure> {
    let data = &*plan.sets.train;
    let normalization = plan
        .augment(plan.rule(statistics), statistics)
        .map_err(Failure::usage)?
        .normalization;
    let rule = plan.rule(statistics);
    let staging = &plan.config.staging;
    let rows = staging.slots.get() * staging.batch.get() / threads;
    let words = plan.writer.row_bytes() / 8;
    // The memory is in use before the clock starts, like that of slots.
    let memory: Vec<Mutex<Vec<u64>>> = (0..threads).map(|_| Mutex::new(vec![1; rows * words])).collect();
    let worker = AtomicUsize::new(0);
    let order = rng::permutation(rule.seed, 0, data.len() as u32);
    each(data, threads, || {
        let mut memory = memory[worker.fetch_add(1, Ordering::Relaxed)]
            .lock()
            .map_err(|_| Failure::Internal("a thread of the bare loop panicked".to_string()))?;
        let mut row = 0;
        let (normalization, rule, order) = (&normalization, &rule, &order);
        Ok(move |i: usize| {
            let sample = order[i];
            let raw = Raw::find(data, sample as usize)?;
            if let Some((frame, pixels)) = raw.and_then(|raw| Some((raw.frame(), raw.pixels().ok()?))) {
                let draw = rule.draw(0, sample, frame);
                let out = &mut memory[row * words..][..words];
                normalization.write(&draw, pixels, Region::whole(frame), bytemuck::cast_slice_mut(out));
                row = (row + 1) % rows;
            }
            Ok(())
        })
    })
}

/// Images per second for `threads` threads that decode every image, resize it and encode it again.
pub(super) fn recode(data: &Dataset, threads: usize, size: u32, quality: u32) -> Result<f64, Failure> {
    each(data, threads, || {
        let options = Options {
            shorter_side: Some(size),
            ..Options::default()
        };
        let mut decoder = Decoder::new(options).map_err(Failure::failed)?;
        let mut writer = JpegWriter::new(quality).map_err(Failure::Internal)?;
        let (mut scratch, mut pixels) = (Vec::new(), Vec::new());
        Ok(move |i: usize| {
            let encoded = data.read(i, &mut scratch)?;
            let mut one = || {
                let frame = decoder.open(encoded)?;
                pixels.resize(Region::whole(frame).bytes(), 0);
                decoder.pixels(encoded, Region::whole(frame), &mut pixels)?;
                Ok::<_, DecodeError>(frame)
            };
            if let Ok(frame) = one() {
                // An image that cannot be encoded still costs its time.
                let _ = writer.rgb(frame.width, frame.height, &pixels);
            }
            Ok(())
        })
    })
}

/// Runs `work` on every sample. The threads share the samples dynamically.
fn each<W>(data: &Dataset, threads: usize, worker: impl Fn() -> Result<W, Failure> + Sync) -> Result<f64, Failure>
where
    W: FnMut(usize) -> Result<(), ReadError>,
{
    let next = AtomicUsize::new(0);
    let start = Instant::now();
    thread::scope(|scope| {
        let body = || {
            let mut work = worker()?;
            loop {
                let i = next.fetch_add(1, Ordering::Relaxed);
                if i >= data.len() {
                    return Ok(());
                }
                work(i).map_err(Failure::failed)?;
            }
        };
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(body)).collect();
        running.into_iter().try_for_each(|thread| {
            thread
                .join()
                .unwrap_or_else(|_| Err(Failure::Internal("a thread of the bare loop panicked".to_string())))
        })
    })?;
    Ok(data.len() as f64 / start.elapsed().as_secs_f64())
}
