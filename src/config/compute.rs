//! `[compute]`: the devices.

use std::num::NonZeroUsize;

use super::errors::short;
use super::range::{QUEUE, WORKERS};
use super::value::{choice, table};

/// The devices of this build.
pub const DEVICES: [&str; 16] = [
    "cpu:0", "cpu:1", "cpu:2", "cpu:3", "cpu:4", "cpu:5", "cpu:6", "cpu:7", "cpu:8", "cpu:9", "cpu:10", "cpu:11",
    "cpu:12", "cpu:13", "cpu:14", "cpu:15",
];

/// The most compute threads, over all devices.
const THREADS: usize = 1024;

choice! {
    /// How several devices share the work.
    Parallel {
        /// By batch: each device has the whole network and takes some of the rows. Gradients are summed.
        Data = "data",
        /// By network: each device has a share of every layer's outputs, like the paper's two GPUs.
        Columns = "columns",
    }
}

choice! {
    /// The algorithm for convolutions with kernels of 3 and 5 at stride 1 on the CPU.
    Method {
        /// Winograd if applicable, which is nearly always faster; direct otherwise.
        Auto = "auto",
        /// Direct convolution: no more rounding than a sum has.
        Direct = "direct",
        /// Winograd's minimal filtering: about half the time, five times the rounding.
        Winograd = "winograd",
    }
}

table! {
    /// `[compute]`.
    Compute {
        /// Where the network runs: `cpu:0`, `cpu:1`, …. Each is a set of threads.
        devices: Vec<String> = vec![DEVICES[0].to_string()],
        /// Compute threads of each CPU device; absent: the cores, shared among the devices.
        threads: Option<NonZeroUsize> = None => WORKERS,
        /// How several devices share the work.
        parallel: Parallel = Parallel::Data,
        /// How convolutions are computed: `auto`, `direct` or `winograd`.
        convolution: Method = Method::Auto,
        /// Capacity of the queue of whole batches.
        queue: NonZeroUsize = NonZeroUsize::MIN => QUEUE,
    }
}

impl Compute {
    /// The names of the devices, with static lifetime: stages are named after them.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.devices.iter().filter_map(|device| known(device))
    }

    /// Checks the rules between keys.
    pub(super) fn check(&self, batch: NonZeroUsize, complain: &mut dyn FnMut(&str, String)) {
        let [first, second, .., last] = DEVICES;
        for (i, device) in self.devices.iter().enumerate() {
            if known(device).is_none() {
                complain(
                    "compute.devices",
                    format!(
                        "{:?} is not a device of this build; the devices are {first:?}, {second:?} … {last:?}",
                        short(device)
                    ),
                );
            } else if self.devices[..i].contains(device) {
                complain(
                    "compute.devices",
                    format!("{device:?} is listed twice; list each device once"),
                );
            }
        }
        let count = self.devices.len();
        if count == 0 {
            complain(
                "compute.devices",
                format!("the list is empty; it needs at least one device, such as {first:?}"),
            );
        }
        let threads = self.threads.map_or(0, NonZeroUsize::get);
        if count * threads > THREADS {
            complain(
                "compute.threads",
                format!("{count} devices with {threads} threads each exceed the limit of {THREADS} threads in total"),
            );
        }
        if self.parallel == Parallel::Data && count > batch.get() {
            complain(
                "compute.devices",
                format!(
                    "{count} devices cannot share a batch of {batch} rows: raise staging.batch or use fewer devices"
                ),
            );
        }
    }
}

fn known(device: &str) -> Option<&'static str> {
    DEVICES.into_iter().find(|known| *known == device)
}
