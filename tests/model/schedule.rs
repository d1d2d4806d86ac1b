//! Learning rates by hand-made tables.

use std::collections::BTreeMap;

use pipeline::config::solver::{LayerRates, Schedule, Solver};
use pipeline::model::solver::{Plateau, PlateauState, Progress, Rates, learning_rate};

use crate::networks::spec;

fn solver(schedule: Schedule) -> Solver {
    Solver {
        lr: 0.01,
        momentum: 0.9,
        weight_decay: 5e-4,
        decay_biases: false,
        schedule,
        warmup_epochs: 0.0,
        layers: BTreeMap::new(),
    }
}

/// The rate at `done` of 100 updates, 10 an epoch.
fn at(solver: &Solver, done: u64) -> f32 {
    learning_rate(
        solver,
        Progress {
            done,
            steps_per_epoch: 10,
            total_steps: 100,
        },
        1.0,
    )
}

fn assert_table(schedule: Schedule, table: &[(u64, f64)]) {
    let solver = solver(schedule);
    for (done, wanted) in table {
        let lr = f64::from(at(&solver, *done));
        assert!(
            (lr - wanted).abs() < 1e-8,
            "{:?} at {done}: {lr} instead of {wanted}",
            solver.schedule
        );
    }
}

#[test]
fn each_schedule_follows_its_table() {
    assert_table(Schedule::Constant, &[(0, 0.01), (99, 0.01)]);
    let step = Schedule::Step {
        every_epochs: 3,
        factor: 0.1,
    };
    assert_table(step, &[(0, 0.01), (29, 0.01), (30, 0.001), (59, 0.001), (60, 0.0001)]);
    let multistep = Schedule::Multistep {
        epochs: vec![2, 5],
        factor: 0.5,
    };
    assert_table(multistep, &[(19, 0.01), (20, 0.005), (49, 0.005), (50, 0.0025)]);
    assert_table(
        Schedule::Polynomial { power: 2.0 },
        &[(0, 0.01), (50, 0.0025), (90, 0.0001), (100, 0.0)],
    );
    assert_table(
        Schedule::Exponential { factor: 0.25 },
        &[(0, 0.01), (5, 0.005), (10, 0.0025)],
    );
    assert_table(Schedule::Cosine, &[(0, 0.01), (50, 0.005), (100, 0.0), (200, 0.0)]);
}

#[test]
fn warmup_rises_to_the_whole_rate() {
    let solver = Solver {
        warmup_epochs: 0.5,
        ..solver(Schedule::Constant)
    };
    let rates: Vec<f32> = (0..7).map(|done| at(&solver, done)).collect();
    for (rate, wanted) in rates.iter().zip([0.002f32, 0.004, 0.006, 0.008, 0.01, 0.01, 0.01]) {
        assert!((rate - wanted).abs() < 1e-8, "{rates:?}");
    }
}

#[test]
fn a_plateau_lowers_the_rate_when_the_error_stops_falling() {
    let schedule = Schedule::Plateau {
        factor: 0.1,
        patience: 2,
        threshold: 0.01,
        max_drops: 2,
    };
    let mut plateau = Plateau::new(&schedule, PlateauState::default()).unwrap();
    // 0.495 is not enough of an improvement over 0.5; at the third drop there is none left.
    let errors = [0.5, 0.495, 0.492, 0.4, 0.5, 0.4, 0.4, 0.4, 0.4];
    let dropped: Vec<bool> = errors.iter().map(|error| plateau.observe(*error).is_some()).collect();
    assert_eq!(dropped, [false, false, true, false, false, true, false, false, false]);
    assert!((plateau.state.factor - 0.01).abs() < 1e-8);
    let lr = learning_rate(
        &solver(schedule.clone()),
        Progress {
            done: 0,
            steps_per_epoch: 1,
            total_steps: 1,
        },
        0.1,
    );
    assert!((lr - 0.001).abs() < 1e-9);

    let text = serde_json::to_string(&plateau.state).unwrap();
    assert_eq!(
        Plateau::new(&schedule, serde_json::from_str(&text).unwrap()),
        Some(plateau)
    );
    assert_eq!(Plateau::new(&Schedule::Constant, PlateauState::default()), None);
}

#[test]
fn layers_have_their_own_rates_and_freeze() {
    let mut solver = solver(Schedule::Constant);
    let own = LayerRates {
        weight_lr: 0.5,
        bias_lr: 2.0,
        weight_decay: 3.0,
        freeze_from_epoch: Some(2),
    };
    solver.layers.insert("conv1".to_owned(), own);
    let mut rates = Rates::new(&solver, &spec()).unwrap();
    let progress = |done| Progress {
        done,
        steps_per_epoch: 10,
        total_steps: 100,
    };
    let now = rates.at(progress(19), 1.0).to_vec();
    assert_eq!(
        now.iter().map(|r| r.lr).take(4).collect::<Vec<_>>(),
        [0.005, 0.02, 0.01, 0.01]
    );
    assert_eq!(
        now.iter().map(|r| r.weight_decay).take(4).collect::<Vec<_>>(),
        [5e-4 * 3.0, 0.0, 5e-4, 0.0]
    );
    assert!(now.iter().all(|r| !r.frozen && r.momentum == 0.9));
    let frozen: Vec<bool> = rates.at(progress(20), 1.0).iter().map(|r| r.frozen).collect();
    assert_eq!(frozen[..4], [true, true, false, false]);

    solver.decay_biases = true;
    let decays = Rates::new(&solver, &spec()).unwrap().at(progress(0), 1.0)[3].weight_decay;
    assert_eq!(decays, 5e-4);
}

#[test]
fn a_table_for_a_layer_that_is_not_there_is_refused() {
    let mut solver = solver(Schedule::Constant);
    let own = LayerRates {
        weight_lr: 1.0,
        bias_lr: 1.0,
        weight_decay: 1.0,
        freeze_from_epoch: None,
    };
    solver.layers.insert("conv9".to_owned(), own);
    let text = Rates::new(&solver, &spec()).unwrap_err().to_string();
    assert!(
        text.ends_with("no layer \"conv9\" with parameters (it has conv1, conv2, conv3, fc4, fc5)"),
        "{text}"
    );
}
