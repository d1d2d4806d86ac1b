//! The flow of the pass for statistics.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use super::{Flow, Topology, pixel_pool};
use crate::dataset::sums::Sums;
use crate::flow::{Inlet, Stop, channel};
use crate::plan::{Plan, look};
use crate::stages::measure::{Budget, Measure};
use crate::stages::{decode, measure};

/// The flow that measures the training set: source and decode, with counters where augment stands. The sums leave by
/// the outlet; `progress` is called for each image.
pub fn measuring(plan: &Plan, stop: &Stop, progress: Arc<dyn Fn() + Send + Sync>) -> (Topology, Inlet<Sums>) {
    let config = &plan.config;
    let mut flow = Flow::default();

    let (requests, requests_in) = channel("ticket", config.decode.queue);
    let samples = plan.itinerary.train_samples;
    flow.one("source", {
        let stop = stop.clone();
        move || measure::source(samples, requests, &stop)
    });

    let (spare, pool) = pixel_pool(plan);
    let (pixels, pixels_in) = channel("pixels", config.augment.queue);
    // Every frame counts, also one that is too small for the crop.
    let mut settings = plan.decode(plan.rule(None));
    settings.rule.crop = 0;
    flow.hop("decode", requests_in.gauge());
    flow.many("decode", config.decode.workers, || {
        let (settings, requests, pool, pixels) = (settings.clone(), requests_in.clone(), pool.clone(), pixels.clone());
        move || decode::run(&settings, &requests, &pool, pixels)
    });
    pixels.finish();

    let (sums, sums_in) = channel("sums", config.augment.workers);
    let settings = Measure {
        square: look::mean_image_side(config),
        data: Arc::clone(&plan.sets.train),
        budget: Arc::new(Budget {
            most: config.run.bad_images_max,
            met: AtomicU32::new(0),
        }),
        progress,
    };
    flow.hop("measure", pixels_in.gauge());
    flow.many("measure", config.augment.workers, || {
        let (settings, pixels, spare, sums) = (settings.clone(), pixels_in.clone(), spare.clone(), sums.clone());
        move || measure::run(&settings, &pixels, spare, sums)
    });
    spare.finish();
    sums.finish();
    (flow.0, sums_in)
}
