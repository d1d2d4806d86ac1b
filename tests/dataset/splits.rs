//! A data set in two parts: together they are the whole, classes are balanced, and only the seed decides the choice.

use std::collections::BTreeSet;
use std::path::Path;

use pipeline::dataset::Dataset;
use proptest::prelude::*;
use tempfile::TempDir;

use super::{fill, ids, open, text};

/// Class folders with these numbers of files.
fn classes(sizes: &[usize]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let files: Vec<String> = sizes
        .iter()
        .enumerate()
        .flat_map(|(class, &size)| (0..size).map(move |i| format!("c{class}/{i:02}.jpg")))
        .collect();
    fill(root.path(), &files.iter().map(String::as_str).collect::<Vec<_>>());
    root
}

fn split(root: &Path, fraction: f32, seed: u64) -> [Dataset; 2] {
    open(root).split(fraction, seed).unwrap().into()
}

fn of_class(data: &Dataset, class: usize) -> usize {
    (0..data.len()).filter(|&i| data.label(i) as usize == class).count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_parts_are_disjoint_and_together_all(
        sizes in prop::collection::vec(1..25_usize, 2..5), fraction in 0.01..0.99_f32, seed in 0..1000_u64,
    ) {
        prop_assume!(sizes.iter().any(|&size| size > 1));
        let root = classes(&sizes);
        let whole = open(root.path());
        let parts = split(root.path(), fraction, seed);
        let [rest, aside] = &parts;
        prop_assert_eq!(rest.len() + aside.len(), whole.len());
        prop_assert_eq!((rest.part_of(), aside.part_of()), (Some(whole.len()), Some(whole.len())));
        let mut all: Vec<String> = parts.iter().flat_map(ids).collect();
        all.sort();
        prop_assert_eq!(all, ids(&whole));
        // The samples of each part keep the whole's order, numbers, bytes and classes.
        for part in &parts {
            prop_assert_eq!(part.classes(), whole.classes());
            let places: Vec<usize> = (0..part.len()).map(|i| part.canonical(i) as usize).collect();
            prop_assert!(places.is_sorted_by(|a, b| a < b));
            for (i, &place) in places.iter().enumerate() {
                prop_assert_eq!(part.id(i), whole.id(place));
                prop_assert_eq!(part.bytes(i), whole.bytes(place));
                prop_assert_eq!(part.where_is(i), whole.where_is(place));
                prop_assert_eq!(text(part, i), text(&whole, place));
                part.prefetch(i);
                part.verify(i).unwrap();
            }
        }
        for (class, &size) in sizes.iter().enumerate() {
            let expected = match size {
                1 => 0,
                size => ((f64::from(fraction) * size as f64).round() as usize).clamp(1, size - 1),
            };
            prop_assert_eq!(of_class(aside, class), expected, "class {} of {}", class, size);
        }
        // The same split again is identical; for caches, the parts and the whole are three different sets.
        let again = split(root.path(), fraction, seed);
        let stamps = |parts: &[Dataset; 2]| parts.each_ref().map(|part| (part.fingerprint(), part.content_stamp()));
        prop_assert_eq!(stamps(&parts), stamps(&again));
        let all: BTreeSet<u64> = [rest.content_stamp(), aside.content_stamp(), whole.content_stamp()].into();
        prop_assert_eq!(all.len(), 3);
    }
}

#[test]
fn another_seed_sets_other_images_aside_and_each_equally_often() {
    let root = classes(&[20, 20]);
    let mut often = vec![0; 40];
    let mut parts = BTreeSet::new();
    for seed in 0..400 {
        let [_, aside] = split(root.path(), 0.25, seed);
        (0..aside.len()).for_each(|i| often[aside.canonical(i) as usize] += 1);
        parts.insert(aside.fingerprint());
    }
    assert_eq!(parts.len(), 400);
    // The mean is 100, the standard deviation 8.7.
    assert!(often.iter().all(|count| (60..140).contains(count)), "{often:?}");
}

#[test]
fn where_no_class_has_two_images_nothing_can_be_set_aside() {
    let root = classes(&[1, 1]);
    let error = open(root.path()).split(0.5, 1).unwrap_err().to_string();
    assert!(
        error.ends_with("no class has two images, so none can be set aside for validation"),
        "{error}"
    );
}

#[test]
fn a_class_of_one_image_is_learnt_from_and_the_other_part_says_that_it_lacks_it() {
    let root = classes(&[1, 4]);
    let [rest, aside] = split(root.path(), 0.25, 1);
    assert_eq!((rest.lacks(), of_class(&rest, 0), of_class(&aside, 1)), (None, 1, 1));
    assert_eq!(aside.lacks().unwrap(), "no images of 1 of 2 classes: c0");
}
