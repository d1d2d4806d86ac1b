//! Of several errors the cause comes first, and values that nobody wrote are not reported.

use pipeline::config::validation::Validation;

use super::{LEAST, parse, refusal};

fn lines(text: &str, sets: &[&str]) -> Vec<String> {
    let sets: Vec<String> = sets.iter().map(ToString::to_string).collect();
    parse(text, &sets).unwrap_err().lines().map(str::to_owned).collect()
}

#[test]
fn a_mistyped_table_comes_before_what_is_missing_for_it() {
    let text = "[model]\npreset = \"alexnet-small\"\n\n[date]\ntrain = \"photos\"\n";
    let told = lines(text, &[]);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[0].contains("line 4: date: unknown key; did you mean `data`?"),
        "{told:?}"
    );
    assert!(told[1].contains("data.train: missing"), "{told:?}");
    // Also where it comes from the command line, which otherwise follows the whole file.
    let told = lines("[model]\npreset = \"alexnet-small\"\n", &["date.train=photos"]);
    assert!(told[0].contains("--set: date: unknown key"), "{told:?}");
}

#[test]
fn what_cannot_be_read_has_no_consequences() {
    // The default crop is larger than that, but the user did not write it.
    let told = lines(
        &format!("{LEAST}[augment]\ncrop = \"large\"\n[decode]\nshorter_side = 100\n"),
        &[],
    );
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("augment.crop: expected a whole number"), "{told:?}");
    let told = lines("[data]\ntrain = 5\n[model]\npreset = \"alexnet-small\"\n", &[]);
    assert_eq!(told.len(), 1, "{told:?}");
    // Other tables are still checked.
    let told = lines(&format!("{LEAST}[augment]\ncrop = \"large\"\n[run]\nepochs = 0\n"), &[]);
    assert!(
        told.len() == 2 && told[1].contains("run.epochs: must be at least 1"),
        "{told:?}"
    );
}

#[test]
fn a_key_outside_of_its_table_is_told_where_it_belongs() {
    for (set, meant) in [
        ("lr=0.1", "lr: unknown key; did you mean `solver.lr`?"),
        ("epochs=3", "epochs: unknown key; did you mean `run.epochs`?"),
        (
            "workers=2",
            "workers: unknown key; did you mean `decode.workers` or `augment.workers`?",
        ),
        (
            "decode.crop=24",
            "decode.crop: unknown key; did you mean `augment.crop`?",
        ),
        (
            "augment.shorter_side=24",
            "augment.shorter_side: unknown key; did you mean `decode.shorter_side`?",
        ),
        ("solver.lrr=1", "solver.lrr: unknown key; did you mean `solver.lr`?"),
        ("run.seeds=2", "run.seeds: unknown key; did you mean `run.seed`?"),
    ] {
        assert_eq!(refusal(set), format!("t.toml: --set: {meant}"));
    }
}

#[test]
fn an_empty_path_is_told_as_such() {
    for (set, told) in [
        ("data.train=", "data.train: missing: set it to"),
        ("data.val=", "data.val: the path is empty: set it to"),
        ("run.out=", "run.out: the path is empty: set it to"),
    ] {
        let error = refusal(set);
        assert!(error.starts_with(&format!("t.toml: --set: {told}")), "{error}");
    }
}

#[test]
fn a_part_of_the_training_set_is_read_and_written_back() {
    let val = |set: &str| parse(LEAST, &[set.to_owned()]).unwrap();
    let config = val("data.val={ fraction = 0.1 }");
    assert_eq!(config.data.val, Some(Validation::Fraction(0.1)));
    assert!(
        config.to_toml().contains("\nval = { fraction = 0.1 }\n"),
        "{}",
        config.to_toml()
    );
    assert_eq!(parse(&config.to_toml(), &[]).unwrap(), config);
    assert_eq!(val("data.val.fraction=0.25").data.val, Some(Validation::Fraction(0.25)));
    for fraction in ["0", "1", "-0.5", "1.5", "0.99999999999", "1e-60"] {
        let text = refusal(&format!("data.val.fraction={fraction}"));
        assert!(
            text.contains("data.val.fraction: expected a number above 0 and below 1, found "),
            "{text}"
        );
    }
    let text = refusal("data.val=0.1");
    assert!(
        text.contains("data.val: expected a data set's location, or { fraction = 0.1 }"),
        "{text}"
    );
    let text = refusal("data.val={ part = 0.1 }");
    assert!(text.contains("`fraction` is missing"), "{text}");
}
