//! Reading and decoding cost no allocation by our code once the buffers have grown.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;

use pipeline::dataset::Dataset;
use pipeline::stages::decode::{Options, Region};
use turbojpeg::Subsamp;

use super::pictures::{decoder, jpeg, with_orientation};

struct Counting;

thread_local! {
    /// Allocations of this thread: other tests run beside this one.
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: everything is passed on to the system's allocator; the counter allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise is the one asked for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations for twenty images, after as many to let the buffers grow.
fn count(options: Options) -> u64 {
    let root = tempfile::tempdir().unwrap();
    for (class, subsamp) in [("a", Subsamp::None), ("b", Subsamp::Sub2x2)] {
        fs::create_dir(root.path().join(class)).unwrap();
        for i in 0..10_u32 {
            let file = jpeg(60 + i as usize, 90 - i as usize, i, subsamp, i % 3 == 0);
            let name = root.path().join(class).join(format!("{i}.jpg"));
            fs::write(name, with_orientation(&file, 1 + (i % 8) as u8)).unwrap();
        }
    }
    let dataset = Dataset::open(root.path().to_str().unwrap()).unwrap();
    let (mut decoder, mut scratch, mut out) = (decoder(options), Vec::new(), [0; 3 * 40 * 40]);
    let mut all = || {
        for i in 0..dataset.len() {
            let encoded = dataset.read(i, &mut scratch).unwrap();
            let frame = decoder.open(encoded).unwrap();
            let region = Region {
                x: frame.width - 45,
                y: 3,
                width: 40,
                height: 40,
            };
            decoder.pixels(encoded, region, &mut out).unwrap();
            dataset.verify(i).unwrap();
        }
    };
    all();
    let before = COUNT.get();
    all();
    COUNT.get() - before
}

#[test]
fn no_allocation_in_the_steady_state() {
    assert_eq!(count(Options::default()), 0);
    let resized = Options {
        shorter_side: Some(48),
        ..Options::default()
    };
    assert_eq!(count(resized), 0);
}
