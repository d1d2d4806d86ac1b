//! Truncating a mapped file while it is in use gives an error with the file's name, not death by SIGBUS.

use std::fs::{self, File};
use std::path::Path;

use pipeline::dataset::{Dataset, Lent, Mapping, ReadError};

const PAGE: u64 = 4096;

/// A tar of two samples of eight pages each.
fn tar(path: &Path) {
    let mut builder = tar::Builder::new(File::create(path).unwrap());
    for name in ["a/1.jpg", "b/1.jpg"] {
        let mut header = tar::Header::new_gnu();
        header.set_size(8 * PAGE);
        builder
            .append_data(&mut header, name, &vec![7; 8 * PAGE as usize][..])
            .unwrap();
    }
    builder.finish().unwrap();
}

fn shorten(path: &Path, length: u64) {
    File::options().write(true).open(path).unwrap().set_len(length).unwrap();
}

#[test]
fn truncation_while_the_bytes_are_read_is_an_error_that_names_the_file() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x.tar");
    tar(&path);
    let dataset = Dataset::open(path.to_str().unwrap()).unwrap();
    let Some(Lent::Mapped(lent)) = dataset.lend(1).unwrap() else {
        panic!("not mapped")
    };
    shorten(&path, 10 * PAGE);
    let sum: u64 = lent.bytes().iter().map(|&byte| u64::from(byte)).sum();
    assert!(sum < 7 * 8 * PAGE, "the missing pages read as zeros");
    let error = dataset.verify(1).unwrap_err();
    assert!(
        matches!(error, ReadError::Truncated { length, .. } if length == 10 * PAGE),
        "{error}"
    );
    let expected = format!("shard {}, key b/1.jpg: was truncated while in use", path.display());
    assert!(error.to_string().starts_with(&expected), "{error}");
    let mut scratch = Vec::new();
    assert!(dataset.read(1, &mut scratch).is_err(), "and at once the next time");
    assert!(
        dataset.read(0, &mut scratch).is_ok(),
        "the part before the cut is still intact"
    );
    assert!(dataset.verify(0).is_ok());
    // Growing the file again does not restore the bytes: this process has zero pages mapped in their place.
    shorten(&path, 18 * PAGE);
    assert!(dataset.verify(1).is_err());
}

/// The rest of the last page reads as zeros without a signal.
#[test]
fn truncation_inside_a_page_is_seen_too() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x");
    fs::write(&path, [1; 5000]).unwrap();
    let map = Mapping::open(&path).unwrap();
    shorten(&path, 4200);
    assert_eq!(map.bytes()[4500], 0);
    assert_eq!(
        (map.is_broken(), map.check(4200), map.check(4201)),
        (false, Ok(()), Err(4200))
    );
}

#[test]
fn many_threads_fault_in_many_files() {
    let root = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let path = root.path().join(thread.to_string());
            scope.spawn(move || {
                for _ in 0..20 {
                    fs::write(&path, vec![1; 16 * PAGE as usize]).unwrap();
                    let map = Mapping::open(&path).unwrap();
                    shorten(&path, PAGE);
                    let ones: u64 = map.bytes().iter().map(|&byte| u64::from(byte)).sum();
                    assert_eq!((ones, map.is_broken(), map.check(PAGE)), (PAGE, true, Ok(())));
                }
            });
        }
    });
}
