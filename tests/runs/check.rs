//! `check`: the plan of a run, in correct numbers.

use std::fs;
use std::path::Path;

use pipeline::memory::Bytes;
use pipeline::text::counted;

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
    let most = format!("that allows up to {}", counted(cores() as u64, "worker"));
    assert!(asked.contains(&most), "{asked}");
    assert!(line(&asked, "limit ").ends_with("1099511.6  run.memory"), "{asked}");
    let by_itself = shown(&given, &[]);
    let told = [
        "80 % of the available memory",
        "limit: none, because the system does not report",
    ];
    assert!(told.iter().any(|text| by_itself.contains(text)), "{by_itself}");
    let fixed = shown(&given, &["decode.workers=1", "augment.workers=1"]);
    assert!(!fixed.contains("that allows up to"), "{fixed}");
}

#[test]
fn too_little_memory_for_the_fewest_workers_is_refused() {
    let given = Given::new(2, 1);
    for ended in [check(&given, &["run.memory=10 kB"]), run(&given, &["run.memory=10 kB"])] {
        ended
            .expect(2)
            .says("error: run.memory: 0.0 MB is not enough: with one worker per \"auto\" stage the run needs ")
            .says(" MB of it: ")
            .says("raise run.memory, or lower staging.batch");
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
        text.contains("3 epochs of 33 images, in 3 steps of 8: 9 steps in total"),
        "{text}"
    );
    assert!(text.contains("rank 1 of 2: 16 of the 33 images of an epoch"), "{text}");
    assert!(!shown(&given, &[]).contains("rank "));
}

/// A run of several gigabytes, where two are available.
const LARGE: [&str; 1] = ["staging.batch=500000"];

/// `pipeline` with `args` in a process that `ulimit` limits to two gigabytes of address space.
fn limited(given: &Given, args: Vec<String>) -> Ended {
    Process::start_limited(&given.path(""), 2_000_000, args).wait()
}

fn args(command: &str, path: &Path, sets: &[&str]) -> Vec<String> {
    let mut args = vec![command.to_string(), path.display().to_string()];
    args.extend(sets.iter().flat_map(|set| ["--set".to_string(), (*set).to_string()]));
    args
}

#[test]
fn more_memory_than_there_is_is_refused_with_both_numbers_before_anything_is_written() {
    let given = Given::new(2, 1);
    // Also if the limit is set explicitly.
    for memory in ["run.memory=auto", "run.memory=1 TiB"] {
        for command in ["check", "run"] {
            limited(&given, args(command, &given.toml(), &[&LARGE[..], &[memory]].concat()))
                .expect(2)
                .says("error: the run needs ")
                .says(" MB of it: ")
                .says(", but can get at most 2048.0 MB, the limit of `ulimit -v`; lower staging.batch");
        }
    }
    assert!(!given.path("run").exists(), "nothing was begun");
    assert!(!given.path("cache").exists(), "nothing was begun");
}

#[test]
fn networks_that_there_is_no_memory_for_are_refused_by_whoever_builds_them() {
    let given = Given::new(2, 1);
    run(&given, &["run.epochs=1"]).expect(0);
    let out = given.path("run");
    limited(&given, args("eval", &out, &LARGE))
        .expect(2)
        .says("error: the run needs ");
    limited(&given, args("eval", &out, &[])).expect(0);
    let model = given.toml().display().to_string();
    let bench = ["bench", "compute", "--model", &model, "--batch", "500000"].map(str::to_string);
    limited(&given, bench.into())
        .expect(2)
        .says("error: the network needs ");
}

#[test]
fn a_pass_for_statistics_that_there_is_no_memory_for_is_refused() {
    let given = Given::new(2, 1);
    limited(
        &given,
        args("run", &given.toml(), &["decode.shorter_side=16384", "augment.crop=24"]),
    )
    .expect(2)
    .says("error: the pass for statistics needs ")
    .says(
        " of it: decoded frames), but can get at most 2048.0 MB, the limit of `ulimit -v`; lower decode.shorter_side",
    );
}

/// A limit with room for everything that is planned, but not for the program itself.
#[test]
fn memory_that_the_system_does_not_give_is_an_error_and_no_abort() {
    let given = Given::new(2, 1);
    let sets = [
        "staging.batch=20000",
        "decode.workers=1",
        "augment.workers=1",
        "compute.threads=1",
    ];
    let plan = given.plan(&sets);
    let kilobytes = |bytes: Bytes| (bytes.get() / 1024) as u32 + 1024;
    let limited = |needed: Bytes, args: Vec<String>| {
        let ended = Process::start_limited(&given.path(""), kilobytes(needed), args).wait();
        ended.expect(1).says("error: ").says("could not allocate ");
    };
    let constant = "augment.mean=[128, 128, 128]";
    let run = args("run", &given.toml(), &[&sets[..], &[constant]].concat());
    limited(plan.memory.needed(plan.crews()), run);
    let model = given.toml().display().to_string();
    let bench = ["bench", "compute", "--model", &model].map(str::to_string);
    let sets = sets.iter().flat_map(|set| ["--set".to_string(), (*set).to_string()]);
    limited(plan.model.memory().total(), bench.into_iter().chain(sets).collect());
}

#[test]
fn a_crop_larger_than_images_is_refused_before_anything_is_written() {
    let given = Given::new(4, 2);
    for ended in [check(&given, &["augment.crop=64"]), run(&given, &["augment.crop=64"])] {
        ended
            .expect(2)
            .says("error: augment.crop is 64, but ")
            .says(
                "/train/brick/000.jpg has only 40 x 40 pixels (12 of 12 examined images of data.train are smaller than the crop)",
            )
            .says("lower augment.crop, or enlarge the images with decode.shorter_side = 64 or more");
    }
    assert!(!given.path("run").exists(), "nothing was begun");
    // A crop of the full size needs no enlarging; enlarged images are large enough; and this many may be skipped.
    check(&given, &["augment.crop=40"]).expect(0);
    check(&given, &["augment.crop=64", "decode.shorter_side=64"]).expect(0);
    let skip = ["augment.crop=64", "run.on_bad_image=skip"];
    check(&given, &skip).expect(0);
    check(&given, &[&skip[..], &["run.bad_images_max=17"]].concat()).expect(2);
    check(&given, &[&skip[..], &["run.bad_images_max=18"]].concat()).expect(0);
    // Random crops are scaled individually, the validation set's are not.
    let random = ["augment.crop=64", "augment.random_resized_crop={ area = [0.5, 1.0] }"];
    check(&given, &random).expect(2).says("data.val");
}

#[test]
fn the_scale_of_pixels_is_shown_and_odd_ones_are_warned_of() {
    let given = Given::new(2, 1);
    let text = given.text();
    let (head, tail) = text.split_once("layers = [").unwrap();
    let (_, tail) = tail.split_once("]\n\n[solver]").unwrap();
    let head = head.replace("std = [64.0, 64.0, 64.0]\n", "");
    fs::write(
        given.toml(),
        format!("{head}preset = \"alexnet-small\"\n[solver]{tail}"),
    )
    .unwrap();
    let shown = shown(&given, &[]);
    assert!(
        shown.contains("divided by 70, 70, 70 (augment.std, the preset's default)"),
        "{shown}"
    );
    assert!(!shown.contains("warning"), "{shown}");
    let odd = check(&given, &["augment.std=[1, 1, 1]"]).expect(0).stdout;
    assert!(
        line(&odd, "warning ").contains("the loss is likely to diverge"),
        "{odd}"
    );
    run(&given, &["run.steps=1"]).expect(0);
    let written = fs::read_to_string(given.path("run/config.toml")).unwrap();
    assert!(written.contains("std = [70.0, 70.0, 70.0]"), "{written}");
}

#[test]
fn numbers_without_sense_are_refused_with_their_line() {
    let given = Given::new(2, 1);
    let text = given.text().replace("slots = 2", "slots = 9223372036854775807");
    fs::write(given.toml(), text).expect("written");
    for ended in [check(&given, &[]), run(&given, &[])] {
        ended
            .expect(2)
            .says("line 18: staging.slots: expected a whole number from 1 to 65536, found 9223372036854775807");
    }
    run(&given, &["staging.slots=2", "compute.threads=1000000"])
        .expect(2)
        .says("--set: compute.threads: expected a whole number from 1 to 1024, found 1000000");
    assert!(!given.path("run").exists(), "nothing was begun");
}

#[test]
fn a_run_goes_where_the_home_folder_is_and_says_so_in_its_configuration() {
    let given = Given::new(2, 1);
    let home = fs::canonicalize(given.path("")).expect("a folder");
    let sets = ["run.out=~/out", "data.train=~/train", "data.val=~/val", "run.epochs=1"];
    let args = args("run", &given.toml(), &sets);
    Process::start_at_home(&given.path(""), &home, args).wait().expect(0);
    let written = fs::read_to_string(given.path("out/config.toml")).expect("a resolved configuration");
    assert!(!written.contains('~'), "{written}");
    assert!(
        written.contains(&format!("out = \"{}/out\"", home.display())),
        "{written}"
    );
    // It can be resumed from any working directory.
    let config = given.path("out/config.toml").display().to_string();
    let args = ["run", &config, "--resume"].map(str::to_string);
    Process::start_at_home(&given.path("train"), &given.path("val"), args)
        .wait()
        .expect(0);
}

#[test]
fn a_location_cannot_forge_lines_of_the_plan() {
    let given = Given::new(4, 1);
    let name = "tr\u{1b}[2Jain\nmemory    0 MB";
    fs::rename(given.path("train"), given.path(name)).expect("renamed");
    let set = format!("data.train={}", toml::Value::from(name));
    let shown = Process::start(&given.path(""), ["check", "train.toml", "--set", &set])
        .wait()
        .expect(0);
    let all = shown.stdout + &shown.stderr;
    assert!(all.contains("tr\\u{1b}[2Jain\\nmemory    0 MB"), "{all}");
    assert!(
        !all.contains('\u{1b}') && !all.lines().any(|line| line == "memory    0 MB"),
        "{all}"
    );
}
