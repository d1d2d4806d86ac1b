//! `[compute]`: the devices.

use std::num::NonZeroUsize;

use super::devices::{DeviceName, Devices, Kind};
use super::errors::short;
use super::range::{QUEUE, WORKERS};
use super::value::{choice, table};

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
        /// Where the network runs: `"auto"`, or a GPU (`cuda:0`), or sets of threads (`cpu:0`, `cpu:1`, …).
        devices: Devices = Devices::Auto,
        /// Compute threads of each CPU device; absent: the cores, shared among the devices.
        threads: Option<NonZeroUsize> = None => WORKERS,
        /// How several devices share the work.
        parallel: Parallel = Parallel::Data,
        /// How convolutions are computed: `auto`, `direct` or `winograd`.
        convolution: Method = Method::Auto,
        /// Whether a GPU's kernels are waited for one by one, which is slow, so that an error names its kernel.
        blocking: bool = false,
        /// Capacity of the queue of whole batches.
        queue: NonZeroUsize = NonZeroUsize::MIN => QUEUE,
    }
}

impl Compute {
    /// Checks the rules between keys.
    pub(super) fn check(&self, batch: NonZeroUsize, complain: &mut dyn FnMut(&str, String)) {
        let count = match &self.devices {
            Devices::Auto => 1,
            Devices::Named(names) => {
                check_names(names, &mut |message| complain("compute.devices", message));
                names.len()
            }
        };
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

/// Checks a list of devices.
fn check_names(names: &[String], complain: &mut dyn FnMut(String)) {
    for (i, name) in names.iter().enumerate() {
        if DeviceName::of(name).is_none() {
            complain(format!(
                "{:?} is not a device; devices are \"cpu:0\" … \"cpu:15\" and \"cuda:0\" … \"cuda:15\"",
                short(name)
            ));
        } else if names[..i].contains(name) {
            complain(format!("{name:?} is listed twice; list each device once"));
        }
    }
    if names.is_empty() {
        complain("the list is empty; it needs at least one device, such as \"cpu:0\"".to_string());
    }
    let is_gpu = |name: &String| DeviceName::of(name).is_some_and(|name| name.kind() == Kind::Cuda);
    if names.len() > 1 && names.iter().any(is_gpu) {
        complain("a GPU trains alone: list one GPU, or any number of CPU devices".to_string());
    }
}
