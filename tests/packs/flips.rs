//! A flipped bit is noticed anywhere in the files that decide results.

use std::fs;
use std::path::Path;

use pipeline::dataset::Dataset;
use pipeline::dataset::pack::verify;

use crate::given::Given;
use crate::process::{result, run};
use crate::{files, pack};

/// Flips each bit of a file in turn, and asserts that each flip is `noticed`.
fn flip_each(path: &Path, mut noticed: impl FnMut() -> bool) {
    let whole = fs::read(path).unwrap();
    let mut flipped = whole.clone();
    for bit in 0..8 * whole.len() {
        flipped[bit / 8] ^= 1 << (bit % 8);
        fs::write(path, &flipped).unwrap();
        assert!(noticed(), "bit {bit} of {}", path.display());
        flipped[bit / 8] = whole[bit / 8];
    }
    fs::write(path, whole).unwrap();
}

#[test]
fn every_bit_beside_the_shards_is_noticed_when_the_pack_is_opened() {
    let given = Given::new(2, 1);
    pack(&given, "train", "packed", &["--size", "8", "--per-shard", "4"]).expect(0);
    let folder = given.path("packed");
    let open = || Dataset::open(folder.to_str().unwrap());
    for name in files(&folder).keys() {
        let is_noticed: Box<dyn FnMut() -> bool> = match name.rsplit_once('.').map(|(_, extension)| extension) {
            Some("tar") => continue,
            Some("safetensors") => Box::new(|| {
                let error = open().unwrap().pack().unwrap().statistics().unwrap_err().to_string();
                error.contains("stats.safetensors: it has changed since it was written")
            }),
            _ => Box::new(|| open().is_err()),
        };
        flip_each(&folder.join(name), is_noticed);
    }
    assert!(open().unwrap().pack().unwrap().statistics().is_ok());
}

#[test]
fn every_byte_of_a_pack_is_compared_by_verification() {
    let given = Given::new(2, 1);
    pack(&given, "train", "packed", &["--size", "8", "--per-shard", "4"]).expect(0);
    let folder = given.path("packed");
    for (name, bytes) in files(&folder) {
        // A prime step reaches every kind of byte.
        for at in (0..bytes.len()).step_by(7) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x10;
            fs::write(folder.join(&name), flipped).unwrap();
            assert!(
                verify(&folder, |_| ()).map_or(true, |found| !found.faults.is_empty()),
                "{name}, byte {at}"
            );
        }
        fs::write(folder.join(&name), bytes).unwrap();
    }
    assert_eq!(verify(&folder, |_| ()).unwrap().faults, Vec::<String>::new());
}

/// Damaged statistics in the cache: the run reports them, recomputes them and gets the same weights. The cache is intact again.
#[test]
fn damaged_statistics_in_the_cache_are_computed_again() {
    let given = Given::new(6, 2);
    run(&given, &["run.out=a"]).expect(0);
    let cached = fs::read_dir(given.path("cache"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let whole = fs::read(&cached).unwrap();
    let bits = result(&given.path("a")).bits;
    for (i, at) in [9, 200, whole.len() - 60, whole.len() - 1].into_iter().enumerate() {
        let mut flipped = whole.clone();
        flipped[at] ^= 2;
        fs::write(&cached, flipped).unwrap();
        let out = format!("run.out=b{i}");
        run(&given, &[&out])
            .expect(0)
            .says("the cached statistics are damaged; computing them again");
        assert_eq!(fs::read(&cached).unwrap(), whole);
        assert_eq!(result(&given.path(&format!("b{i}"))).bits, bits);
    }
    // A file that cannot be read may be intact, so it stays.
    fs::remove_file(&cached).unwrap();
    fs::create_dir(&cached).unwrap();
    run(&given, &["run.out=c"]).expect(0).says("leaving the file as it is");
    assert!(cached.is_dir());
    assert_eq!(result(&given.path("c")).bits, bits);
}

/// The statistics of a pack are not silently recomputed: the run is refused.
#[test]
fn damaged_statistics_of_a_pack_are_refused_by_name() {
    let given = Given::new(4, 1);
    pack(&given, "train", "packed", &["--size", "32"]).expect(0);
    let path = given.path("packed/stats.safetensors");
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&path, bytes).unwrap();
    let train = format!("data.train={}", given.path("packed").display());
    run(&given, &["run.out=a", &train])
        .expect(1)
        .says("stats.safetensors: it has changed since it was written");
    assert!(!given.path("a/config.toml").exists());
}
