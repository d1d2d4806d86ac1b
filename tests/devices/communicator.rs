//! The communicators of CPU devices against sums computed directly, for one to four ranks.

use std::sync::Arc;
use std::thread;

use pipeline::devices::cpu::{CpuCommunicator, Threads};
use pipeline::devices::{Communicator, Sharded, share};
use pipeline::rng::{Philox, Purpose};

/// Communicators between `ranks` devices with `threads` threads each.
pub fn communicators(ranks: usize, threads: usize) -> Vec<CpuCommunicator> {
    let pool = |rank| Arc::new(Threads::new(&format!("cpu-{rank}"), threads).unwrap());
    CpuCommunicator::between((0..ranks).map(pool).collect())
}

/// Runs `work` with each rank's communicator, each on its own thread.
fn each<T: Send>(ranks: usize, threads: usize, work: impl Fn(CpuCommunicator) -> T + Sync) -> Vec<T> {
    let work = &work;
    thread::scope(|scope| {
        let running: Vec<_> = communicators(ranks, threads)
            .into_iter()
            .map(|communicator| scope.spawn(move || work(communicator)))
            .collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// Lengths around the sizes of tasks and blocks, including 0.
const LENGTHS: [usize; 7] = [0, 1, 3, 1024, 1025, 70_001, 200_000];

/// The buffers of a rank, with values of very different magnitudes, so that another order of summation changes bits.
fn buffers(rank: usize, round: u32) -> Vec<Vec<f32>> {
    let mut random = Philox::new(5, Purpose::Init, rank as u32, round);
    let mut number = || (random.uniform() - 0.5) * [1.0, 1e-4, 300.0][random.below(3) as usize];
    LENGTHS.map(|len| (0..len).map(|_| number()).collect()).into()
}

fn slices(buffers: &mut [Vec<f32>]) -> Vec<&mut [f32]> {
    buffers.iter_mut().map(Vec::as_mut_slice).collect()
}

/// The buffers of all ranks, added in rank order.
fn sums(ranks: usize, round: u32) -> Vec<Vec<f32>> {
    let add = |sums: Vec<Vec<f32>>, rank| {
        let pairs = sums.into_iter().zip(buffers(rank, round));
        pairs
            .map(|(a, b)| a.iter().zip(&b).map(|(a, b)| a + b).collect())
            .collect()
    };
    (1..ranks).fold(buffers(0, round), add)
}

#[test]
fn all_reduce_gives_every_rank_the_sums_in_the_order_of_the_ranks() {
    for ranks in 1..=4 {
        for threads in 1..=2 {
            let found = each(ranks, threads, |mut communicator| {
                // Several rounds: nothing of one round may leak into the next.
                (0..3)
                    .map(|round| {
                        let mut own = buffers(communicator.rank(), round);
                        communicator.all_reduce(&mut slices(&mut own)).unwrap();
                        own
                    })
                    .collect::<Vec<_>>()
            });
            for (rank, rounds) in found.iter().enumerate() {
                for (round, found) in rounds.iter().enumerate() {
                    assert!(
                        found == &sums(ranks, round as u32),
                        "rank {rank} of {ranks}, round {round}"
                    );
                }
            }
        }
    }
}

#[test]
fn reduce_scatter_sums_the_own_share_and_leaves_the_rest() {
    for ranks in 1..=4 {
        let found = each(ranks, 1, |mut communicator| {
            let mut own = buffers(communicator.rank(), 0);
            communicator.reduce_scatter(&mut slices(&mut own)).unwrap();
            (communicator.rank(), own)
        });
        for (rank, found) in found {
            for ((found, sum), before) in found.iter().zip(sums(ranks, 0)).zip(buffers(rank, 0)) {
                let own = share(sum.len(), rank, ranks);
                let mut expected = before;
                expected[own.clone()].copy_from_slice(&sum[own]);
                assert!(found == &expected, "rank {rank} of {ranks}");
            }
        }
    }
}

#[test]
fn all_gather_brings_each_share_from_its_rank() {
    for ranks in 1..=4 {
        let found = each(ranks, 2, |mut communicator| {
            let mut own = buffers(communicator.rank(), 0);
            communicator.all_gather(&mut slices(&mut own)).unwrap();
            own
        });
        let of_ranks: Vec<_> = (0..ranks).map(|rank| buffers(rank, 0)).collect();
        for found in found {
            for (index, found) in found.iter().enumerate() {
                for (rank, of_rank) in of_ranks.iter().enumerate() {
                    let theirs = share(found.len(), rank, ranks);
                    assert!(
                        found[theirs.clone()] == of_rank[index][theirs],
                        "rank {rank} of {ranks}"
                    );
                }
            }
        }
    }
}

/// The three calls in one: the update sees the summed own share, and all ranks get the result.
#[test]
fn a_step_updates_each_share_once_and_all_have_it() {
    for ranks in 1..=4 {
        let found = each(ranks, 2, |mut communicator| {
            let (mut gradients, mut values) = (buffers(communicator.rank(), 0), buffers(7, 1));
            let own = |len| share(len, communicator.rank(), ranks);
            let mut memory: Vec<Vec<f32>> = values.iter().map(|values| vec![0.5; own(values.len()).len()]).collect();
            let mut parameters: Vec<_> = gradients
                .iter_mut()
                .zip(&mut values)
                .zip(&mut memory)
                .map(|((gradient, value), memory)| Sharded {
                    gradient: &mut gradient[..],
                    value: &mut value[..],
                    memory: &mut memory[..],
                })
                .collect();
            let update = |number: usize, value: &mut [f32], memory: &mut [f32], gradient: &[f32]| {
                for ((value, memory), gradient) in value.iter_mut().zip(memory).zip(gradient) {
                    *value += number as f32 * gradient + *memory;
                    *memory += 1.0;
                }
            };
            communicator.step(&mut parameters, &update).unwrap();
            assert!(memory.iter().flatten().all(|memory| *memory == 1.5));
            values
        });
        for values in found {
            for (number, ((ours, sum), before)) in values.iter().zip(sums(ranks, 0)).zip(buffers(7, 1)).enumerate() {
                let expected = before
                    .iter()
                    .zip(&sum)
                    .map(|(value, sum)| value + (number as f32 * sum + 0.5));
                assert!(expected.eq(ours.iter().copied()), "buffer {number}, {ranks} ranks");
            }
        }
    }
}
