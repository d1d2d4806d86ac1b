//! Reading and decoding make no allocation in our code once the buffers have grown.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;

use pipeline::dataset::{Dataset, Encoded};
use pipeline::stages::decode::{Options, Region};
use turbojpeg::Subsamp;

use super::pictures::{decoder, jpeg, with_orientation};
use super::pngs::png;

struct Counting;

thread_local! {
    /// The allocations of this thread only: other tests run at the same time.
    static COUNT: Cell<u64> = const { Cell::new(0) };
    /// Bytes that this thread holds now, and has held at most.
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

fn hold(bytes: isize) {
    HELD.set(HELD.get() + bytes);
    MOST.set(MOST.get().max(HELD.get()));
}

// SAFETY: every call is forwarded to the system's allocator; the counter allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        hold(layout.size() as isize);
        // SAFETY: the caller upholds the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        hold(-(layout.size() as isize));
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The allocations for twenty images, after as many to let the buffers grow.
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

/// The peak of bytes that decoding the whole of `file` takes in addition to its pixels, and the bytes held afterwards.
fn taken(options: Options, file: &[u8]) -> (isize, isize) {
    let mut decoder = decoder(options);
    let region = Region::whole(decoder.open(Encoded::File(file)).unwrap());
    let mut out = vec![0; region.bytes()];
    let before = HELD.get();
    MOST.set(before);
    decoder.pixels(Encoded::File(file), region, &mut out).unwrap();
    (MOST.get() - before, HELD.get() - before)
}

/// Whatever a pixel takes in the file, here eight bytes, it takes no more than three in memory.
#[test]
fn a_png_takes_what_its_pixels_take() {
    let (width, height) = (700, 600);
    let rgb = 3 * width as isize * height as isize;
    // The stored rows and the inflater.
    let little = 600_000;
    let (most, _) = taken(Options::default(), &png((width, height), 4, 16, false, 1, &[]));
    assert!(most < little, "row by row: {most}");
    let (most, _) = taken(Options::default(), &png((width, height), 4, 16, true, 1, &[]));
    assert!(most < rgb + little, "in passes: {most}");
    let half = Options {
        shorter_side: Some(300),
        ..Options::default()
    };
    let (most, _) = taken(half, &png((width, height), 4, 16, false, 1, &[]));
    assert!(most < rgb + little, "resized: {most}");
}

/// A header may claim any size, even in a file that libjpeg refuses for another reason, so that a repaired copy is tried.
#[test]
fn a_claimed_size_takes_no_memory() {
    let mut file = jpeg(64, 48, 1, Subsamp::Sub2x2, true);
    let frame = file.windows(2).position(|two| two == [0xff, 0xc2]).unwrap();
    // Nine bits per sample, 65535 by 65535 pixels.
    file[frame + 4..frame + 9].copy_from_slice(&[9, 0xff, 0xff, 0xff, 0xff]);
    let mut decoder = decoder(Options::default());
    let before = HELD.get();
    MOST.set(before);
    assert!(decoder.open(Encoded::File(&file)).is_err());
    assert!(MOST.get() - before < 100_000, "{}", MOST.get() - before);
}

/// The memory for a large image is released; the rest of a decoder's memory is kept.
#[test]
fn a_large_image_leaves_no_memory_behind() {
    let resized = Options {
        shorter_side: Some(300),
        dct_scaling: false,
        ..Options::default()
    };
    let files = [
        png((700, 600), 4, 16, true, 1, &[]),
        jpeg(700, 600, 1, Subsamp::Sub2x2, false),
        with_orientation(&jpeg(700, 600, 1, Subsamp::Sub2x2, true), 6),
    ];
    for file in files {
        let (_, kept) = taken(resized, &file);
        assert!(kept >= 3 * 700 * 600, "{kept}");
        let (_, kept) = taken(
            Options {
                large: 1 << 20,
                ..resized
            },
            &file,
        );
        assert!(kept < 100_000, "{kept}");
    }
}
