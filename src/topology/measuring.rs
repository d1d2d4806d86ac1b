//! The flow that measures a training set's statistics.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use super::input::decoding;
use super::{Flow, Topology, Waits};
use crate::dataset::sums::Sums;
use crate::flow::{Inlet, Role, Stop, channel};
use crate::plan::{Plan, preprocessing};
use crate::stages::measure::{self, Budget, Measure};

/// The flow that measures the training set: source and decode, with `measure` in place of augment. The returned inlet delivers
/// the sums; `progress` is called for each image.
pub fn measuring(plan: &Plan, stop: &Stop, progress: Arc<dyn Fn() + Send + Sync>) -> (Topology, Inlet<Sums>) {
    let config = &plan.config;
    let mut flow = Flow::new(plan.cores);

    let (requests, requests_in) = channel("ticket", config.decode.queue);
    let samples = plan.itinerary.train_samples;
    let waits = Waits::of_source(requests.gauge()).room(requests.waits());
    flow.one("source", waits, {
        let stop = stop.clone();
        move || measure::source(samples, requests, &stop)
    });

    // Every frame counts, even one that is too small for the crop.
    let mut settings = plan.decode(plan.rule(None));
    settings.rule.crop = 0;
    let (pixels_in, spare) = flow.decode(decoding(plan, settings), &requests_in);

    let counters = plan.crews().augment;
    let (sums, sums_in) = channel("sums", NonZeroUsize::MIN.saturating_add(counters.max - 1));
    let settings = Measure {
        square: preprocessing::mean_image_side(config),
        data: Arc::clone(&plan.sets.train),
        budget: Arc::new(Budget {
            max: config.run.bad_images_max,
            met: AtomicU32::new(0),
        }),
        progress,
    };
    let waits = Waits::of(Role::Input, &pixels_in)
        .room(spare.waits())
        .room(sums.waits());
    flow.many("measure", counters, waits, |entrance| {
        let (settings, pixels) = (settings.clone(), pixels_in.behind(entrance));
        let (spare, sums) = (spare.clone(), sums.clone());
        move || measure::run(&settings, &pixels, spare, sums)
    });
    spare.finish();
    sums.finish();
    (flow.finish(), sums_in)
}
