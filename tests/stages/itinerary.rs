//! The course of a run in numbers: every sample once per epoch, every view once per evaluation, and any position continues with
//! exactly what remains.

use std::num::{NonZeroU32, NonZeroUsize};
use std::thread;

use pipeline::flow::{Inlet, Slot, Stop, channel};
use pipeline::stages::Partition;
use pipeline::stages::messages::{Header, Opened, Phase, Position, Ticket};
use pipeline::stages::source::{self, Itinerary, Source};
use proptest::prelude::*;

/// A batch with the contents of its rows, sample and view; padding is left out.
type Made = (Header, Vec<(u32, u32)>);

/// Runs the real source with slots that return as soon as their tickets are issued.
fn all_from(way: &Itinerary, start: Position) -> Vec<Made> {
    let (free, slots) = channel("slot", NonZeroUsize::MIN);
    let (opened, openings) = channel("opened", NonZeroUsize::MIN);
    let (tickets, issued) = channel("ticket", NonZeroUsize::MIN);
    let source = Source {
        itinerary: way.clone(),
        start,
        ahead: None,
    };
    let running = thread::spawn(move || source::run(&source, &slots, opened, tickets, &Stop::default()));
    free.send(Slot::new(way.batch as usize, 8).expect("memory"))
        .expect("room");
    let mut made = Vec::new();
    while let Some(Opened { header, mut lent }) = openings.next().expect("no loss") {
        let rows = rows_of(&header, &issued, |ticket| lent.take_back(ticket.rows));
        made.push((header, rows));
        // After the last batch the source takes no more slots.
        let _ = free.send(lent.into_slot().unwrap_or_else(|_| panic!("rows are missing")));
    }
    running.join().expect("no panic").expect("no fault");
    made
}

fn rows_of(header: &Header, issued: &Inlet<Ticket>, mut home: impl FnMut(Ticket)) -> Vec<(u32, u32)> {
    let (mut rows, mut filled) = (Vec::new(), 0);
    while filled < header.rows as usize {
        let ticket = issued.next().expect("no loss").expect("a ticket for each row");
        assert_eq!(
            (ticket.serial, ticket.phase, ticket.epoch),
            (header.serial, header.position.phase, header.position.epoch)
        );
        assert_eq!(ticket.rows.range().start, filled, "rows are given in order");
        filled = ticket.rows.range().end;
        if !ticket.is_padding {
            rows.extend(
                (0..ticket.rows.range().len() as u32).map(|i| (ticket.sample, u32::from(ticket.first_view) + i)),
            );
        }
        home(ticket);
    }
    rows
}

fn ways() -> impl Strategy<Value = Itinerary> {
    (
        1u32..9,
        1u32..20,
        0u32..12,
        prop::sample::select(vec![1u32, 10]),
        1u32..4,
        1u32..4,
        (any::<u64>(), 0u64..3),
        (1u32..6).prop_flat_map(|ranks| (Just(ranks), 0..ranks)),
    )
        .prop_map(
            |(batch, train, val, views, every, epochs, (seed, short), (ranks, rank))| {
                let whole = u64::from(train.div_ceil(batch * ranks) * epochs);
                Itinerary {
                    seed,
                    batch,
                    train_samples: train,
                    partition: Partition {
                        ranks: NonZeroU32::new(ranks).expect("above 0"),
                        rank,
                    },
                    val_samples: val,
                    views,
                    every_epochs: NonZeroU32::new(every).expect("above 0"),
                    steps: whole.saturating_sub(short).max(1),
                }
            },
        )
}

fn of_phase(made: &[Made], epoch: u32, phase: Phase) -> Vec<&Made> {
    made.iter()
        .filter(|(header, _)| header.position.epoch == epoch && header.position.phase == phase)
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn each_epoch_has_every_sample_once_and_each_evaluation_every_view(way in ways()) {
        let made = all_from(&way, Position::START);
        let steps = made.iter().filter(|(header, _)| header.position.phase == Phase::Train).count() as u64;
        prop_assert_eq!(steps, way.steps);
        for epoch in 0..way.epochs() {
            let train = of_phase(&made, epoch, Phase::Train);
            let mut seen: Vec<u32> = train.iter().flat_map(|(_, rows)| rows.iter().map(|row| row.0)).collect();
            let issued = seen.len();
            seen.sort_unstable();
            seen.dedup();
            prop_assert_eq!(seen.len(), issued, "a sample twice in epoch {}", epoch);
            if train.len() as u32 == way.steps_per_epoch() {
                prop_assert_eq!(issued as u32, way.samples_per_epoch(), "the tail is kept");
            } else {
                prop_assert_eq!(epoch + 1, way.epochs(), "only the last epoch may be cut short");
            }
            let evaluated: Vec<(u32, u32)> =
                of_phase(&made, epoch, Phase::Evaluate).iter().flat_map(|(_, rows)| rows.clone()).collect();
            let due = (epoch + 1).is_multiple_of(way.every_epochs.get()) || epoch + 1 == way.epochs();
            let samples = if due { way.val_samples } else { 0 };
            let whole = (0..samples).flat_map(|sample| (0..way.views).map(move |view| (sample, view)));
            prop_assert!(evaluated.iter().copied().eq(whole), "epoch {}: {:?}", epoch, evaluated);
        }
    }

    #[test]
    fn only_the_last_batches_are_marked(way in ways()) {
        let made = all_from(&way, Position::START);
        for (i, (header, rows)) in made.iter().enumerate() {
            let next = made.get(i + 1).map(|(next, _)| next.position);
            let same_phase = next.is_some_and(|next| (next.epoch, next.phase) == (header.position.epoch, header.position.phase));
            prop_assert_eq!(header.serial, i as u64);
            prop_assert_eq!(header.rows as usize, rows.len().max(1));
            prop_assert_eq!(header.last, !same_phase);
            prop_assert_eq!(header.end_of_run, next.is_none());
            prop_assert!(header.rows == way.batch || header.last, "only the tail may be short");
        }
    }

    #[test]
    fn any_place_leads_to_exactly_the_batches_that_are_left(way in ways()) {
        let all = all_from(&way, Position::START);
        for (i, (header, _)) in all.iter().enumerate() {
            let left = all_from(&way, header.position);
            prop_assert_eq!(left.len(), all.len() - i);
            for ((resumed, rows), (whole, expected)) in left.iter().zip(&all[i..]) {
                prop_assert_eq!(resumed.position, whole.position);
                prop_assert_eq!((resumed.last, resumed.end_of_run), (whole.last, whole.end_of_run));
                prop_assert_eq!(rows, expected);
            }
            // The position that a checkpoint after this batch stores.
            let after = if header.last { way.after(header.position) } else {
                Position { batch: header.position.batch + 1, ..header.position }
            };
            // A position past the end depends on how many epochs or steps are added.
            if let Some((next, _)) = all.get(i + 1) {
                prop_assert_eq!(way.settle(after), Some(next.position), "after {:?}", header.position);
            }
        }
    }

    /// All ranks together, with batches of B, do what one rank does with batches of R · B: step by step the same samples, each
    /// once, and the same evaluations.
    #[test]
    fn ranks_share_every_step_of_every_epoch(way in ways()) {
        let ranks = way.partition.ranks.get();
        let alone = Itinerary { batch: way.batch * ranks, partition: Partition::WHOLE, ..way.clone() };
        let trained = |way: &Itinerary| -> Vec<Made> {
            let all = all_from(way, Position::START);
            all.into_iter().filter(|(header, _)| header.position.phase == Phase::Train).collect()
        };
        let evaluated = |rank: u32| -> Vec<Made> {
            let way = Itinerary { partition: Partition { rank, ..way.partition }, ..way.clone() };
            all_from(&way, Position::START).into_iter().filter(|(h, _)| h.position.phase == Phase::Evaluate).collect()
        };
        let parts: Vec<Vec<Made>> = (0..ranks)
            .map(|rank| trained(&Itinerary { partition: Partition { rank, ..way.partition }, ..way.clone() }))
            .collect();
        let whole = trained(&alone);
        for (rank, part) in parts.iter().enumerate() {
            prop_assert_eq!(part.len(), whole.len(), "steps of rank {}", rank);
            let rows = |made: &[Made]| -> Vec<_> { made.iter().map(|(h, rows)| (h.position, rows.clone())).collect() };
            prop_assert_eq!(rows(&evaluated(rank as u32)), rows(&evaluated(0)));
        }
        for (step, (header, rows)) in whole.iter().enumerate() {
            let mut dealt = 0;
            for (rank, part) in parts.iter().enumerate() {
                prop_assert_eq!(part[step].0.position, header.position);
                for (i, row) in part[step].1.iter().enumerate() {
                    prop_assert_eq!(Some(row), rows.get(i * ranks as usize + rank), "row {} of rank {}", i, rank);
                    dealt += 1;
                }
            }
            prop_assert_eq!(dealt, rows.len(), "all of step {}", step);
        }
    }

    /// A finished run that is given more epochs continues as if it had had them from the start, except for the evaluation at
    /// its first end.
    #[test]
    fn a_finished_run_continues_where_it_ended(way in ways(), more in 1u32..3) {
        let short = all_from(&way, Position::START);
        let longer = Itinerary { steps: way.steps + u64::from(more * way.steps_per_epoch()), ..way.clone() };
        let end = short.last().map_or(Position::START, |(header, _)| way.after(header.position));
        let trained = |made: &[Made]| -> Vec<Vec<(u32, u32)>> {
            made.iter().filter(|(h, _)| h.position.phase == Phase::Train).map(|(_, rows)| rows.clone()).collect()
        };
        let mut both = trained(&short);
        both.extend(trained(&all_from(&longer, end)));
        prop_assert_eq!(both, trained(&all_from(&longer, Position::START)));
    }
}
