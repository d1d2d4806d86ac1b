//! `check`: what a run would be, in numbers that hold.

use crate::given::Given;
use crate::process::{Ended, Process, run};

fn check(given: &Given, sets: &[&str]) -> Ended {
    let mut args = vec!["check".to_string(), given.toml().display().to_string()];
    args.extend(sets.iter().flat_map(|set| ["--set".to_string(), (*set).to_string()]));
    Process::start(&given.path(""), args).wait()
}

fn shown(given: &Given, sets: &[&str]) -> String {
    check(given, sets).expect(0).stdout
}

/// The line that begins with `word`.
fn line<'a>(text: &'a str, word: &str) -> &'a str {
    let found = text.lines().find(|line| line.trim_start().starts_with(word));
    found.unwrap_or_else(|| panic!("{word} is missing in\n{text}"))
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[test]
fn check_shows_what_auto_may_come_to() {
    let given = Given::new(2, 1);
    let cores = cores();
    let auto = shown(&given, &["run.memory=1 TiB"]);
    let fixed = shown(&given, &["decode.workers=2", "augment.workers=3"]);
    if cores > 1 {
        assert!(line(&auto, "decode ").contains(&format!("1 to {cores}")), "{auto}");
        assert!(auto.contains("1 to N workers"), "{auto}");
    }
    let buffers = format!("{} pixel buffers", 2 * cores + 16);
    assert!(line(&auto, "decode ").contains(&buffers), "{auto}");
    assert!(line(&fixed, "decode ").contains("21 pixel buffers"), "{fixed}");
    assert!(!fixed.contains("1 to N workers"), "{fixed}");
}

#[test]
fn the_limit_of_memory_is_told_with_what_it_allows() {
    let given = Given::new(2, 1);
    let asked = shown(&given, &["run.memory=1 TiB"]);
    let most = format!("within it auto may come to {} workers a stage", cores());
    assert!(asked.contains(&most), "{asked}");
    assert!(line(&asked, "limit ").ends_with("1099511.6  run.memory"), "{asked}");
    let by_itself = shown(&given, &[]);
    let told = ["80 % of what is available", "limit: none, this system does not tell"];
    assert!(told.iter().any(|text| by_itself.contains(text)), "{by_itself}");
    let fixed = shown(&given, &["decode.workers=1", "augment.workers=1"]);
    assert!(!fixed.contains("auto may come to"), "{fixed}");
}

#[test]
fn too_little_memory_for_the_fewest_workers_is_refused() {
    let given = Given::new(2, 1);
    for ended in [check(&given, &["run.memory=10 kB"]), run(&given, &["run.memory=10 kB"])] {
        ended
            .expect(2)
            .says("error: run.memory: 0.0 MB are too little, the run takes ")
            .says("raise it, or lower staging.batch");
    }
    run(&given, &["run.memory=lots"])
        .expect(2)
        .says("run.memory: expected \"auto\" or a size such as \"4 GiB\"");
    assert!(!given.path("run").exists(), "nothing was begun");
}

#[test]
fn a_rank_is_told_which_part_is_its_own() {
    let given = Given::new(11, 1);
    let text = shown(&given, &["data.ranks=2", "data.rank=1", "staging.batch=8"]);
    assert!(
        text.contains("3 epochs of 33 images in 3 steps of 8: 9 steps in all"),
        "{text}"
    );
    assert!(text.contains("rank 1 of 2: 16 of the 33 images of an epoch"), "{text}");
    assert!(!shown(&given, &[]).contains("rank "));
}
