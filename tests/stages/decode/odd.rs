//! Every file in the collection of odd JPEGs, against a table made with Pillow.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use pipeline::stages::decode::Options;

use super::pictures::{decoder, whole};
use crate::skip::{self, Need};

/// The development data is beside the project (one folder further up from a worktree) and not part of it.
fn collection() -> Option<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    ["../shared/data", "../../shared/data"]
        .iter()
        .find_map(|at| File::open(root.join(at).join("jpeg-odd.tar")).ok())
}

/// One decoder for all files: a refused image must not affect the next.
#[test]
fn odd_jpegs_decode_as_pillow_does_or_are_refused() {
    let Some(tar) = collection() else {
        return skip::for_lack_of(Need::Images, "jpeg-odd.tar is not there");
    };
    let mut decoder = decoder(Options::default());
    let mut seen = 0;
    for entry in tar::Archive::new(tar).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().display().to_string();
        let name = path.strip_prefix("jpeg-odd/").unwrap().to_owned();
        if !name.contains(".jp") {
            continue;
        }
        let mut file = Vec::new();
        entry.read_to_end(&mut file).unwrap();
        let expected: Vec<&str> = row(&name).split('\t').collect();
        match (whole(&mut decoder, &file), expected[1]) {
            (Ok((frame, pixels)), "ok") => {
                assert_eq!(format!("{}x{}", frame.width, frame.height), expected[2], "{name}");
                for (channel, mean) in expected[3].split(' ').enumerate() {
                    let sum: u64 = pixels
                        .iter()
                        .skip(channel)
                        .step_by(3)
                        .map(|&value| u64::from(value))
                        .sum();
                    let got = sum as f64 / (pixels.len() / 3) as f64;
                    assert!(
                        (got - mean.parse::<f64>().unwrap()).abs() < 0.01,
                        "{name}: {channel} {got} {mean}"
                    );
                }
            }
            (Err(error), "refused") => assert_eq!(error.to_string(), expected[2], "{name}"),
            (got, expected) => panic!("{name}: {:?}, not {expected}", got.map(|(frame, _)| frame)),
        }
        seen += 1;
    }
    assert_eq!(
        seen,
        include_str!("odd.tsv")
            .lines()
            .filter(|line| !line.starts_with('#'))
            .count()
    );
}

fn row(name: &str) -> &'static str {
    let row = include_str!("odd.tsv")
        .lines()
        .find(|row| row.split('\t').next() == Some(name));
    row.unwrap_or_else(|| panic!("{name} is not in odd.tsv"))
}
