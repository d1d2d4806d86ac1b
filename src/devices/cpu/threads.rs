//! The owned thread pool of one CPU device.

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

/// A rayon pool whose threads are named `<device>.<number>`, as in `cpu-0.1`.
#[derive(Debug)]
pub struct Threads {
    pool: ThreadPool,
}

impl Threads {
    /// Starts `count` threads (at least one) for the device called `device`.
    pub fn new(device: &str, count: usize) -> Result<Self, ThreadPoolBuildError> {
        let device = device.to_owned();
        let pool = ThreadPoolBuilder::new()
            // Zero would let rayon choose the number.
            .num_threads(count.max(1))
            .thread_name(move |index| format!("{device}.{index}"))
            .build()?;
        Ok(Self { pool })
    }

    /// How many threads there are.
    pub fn count(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// Runs `work` inside the pool and waits for it. Nested calls run in place.
    pub fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.pool.install(work)
    }

    /// Runs `work` once on every thread, at the same time.
    pub fn on_each<R: Send>(&self, work: impl Fn() -> R + Sync) -> Vec<R> {
        self.pool.broadcast(|_| work())
    }

    /// The number of the calling thread in the pool; 0 outside the pool.
    pub fn worker(&self) -> usize {
        self.pool.current_thread_index().unwrap_or(0)
    }

    /// Calls `task(i)` for each number below `count`, in parallel.
    pub fn each(&self, count: usize, task: impl Fn(usize) + Sync + Send) {
        self.install(|| (0..count).into_par_iter().for_each(task));
    }

    /// Calls `task(i, part)` for each part of `size` elements of `data` (the last may be shorter), in parallel.
    pub fn each_part<T: Send>(&self, data: &mut [T], size: usize, task: impl Fn(usize, &mut [T]) + Sync) {
        self.install(|| {
            let parts = data.par_chunks_mut(size.max(1)).enumerate();
            parts.for_each(|(i, part)| task(i, part));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_carry_the_name_of_the_device_and_their_number() {
        let threads = Threads::new("cpu-0", 2).unwrap();
        let name = threads.install(|| std::thread::current().name().map(str::to_owned));
        assert!(matches!(name.as_deref(), Some("cpu-0.0" | "cpu-0.1")), "{name:?}");
        assert_eq!(threads.count(), 2);
    }

    #[test]
    fn each_thread_does_the_work_once() {
        let threads = Threads::new("cpu-0", 3).unwrap();
        let mut workers = threads.on_each(|| threads.worker());
        workers.sort_unstable();
        assert_eq!(workers, [0, 1, 2]);
    }

    #[test]
    fn every_part_is_visited_once_with_its_number() {
        let threads = Threads::new("cpu-0", 3).unwrap();
        let mut data = vec![0usize; 103];
        threads.each_part(&mut data, 10, |i, part| part.iter_mut().for_each(|x| *x += i + 1));
        assert!(data.iter().enumerate().all(|(j, &x)| x == j / 10 + 1));
    }
}
