//! The EXIF block of a JPEG: whatever it contains, the image stays the same except for its orientation.

use pipeline::dataset::Encoded;
use pipeline::stages::decode::{Decoder, Options, Region};
use turbojpeg::Subsamp;

use super::Target;
use super::pictures::{jpeg, with_orientation};

pub(super) const TARGET: Target = Target {
    name: "exif",
    run,
    seeds,
    words: &[
        b"II*\0\x08\0\0\0",
        b"MM\0*\0\0\0\x08",
        b"\x12\x01\x03\0\x01\0\0\0",
        b"\x01\x12\x00\x03\0\0\0\x01",
        b"\x01\x12\x00\x04",
        b"\xff\xff\xff\xff",
        b"Exif\0\0",
        b"\xff\xe1",
    ],
    memory: 16 << 20,
};

/// All bytes are the contents of the block after `Exif`.
fn run(bytes: &[u8]) {
    let payload = [b"Exif\0\0", &bytes[..bytes.len().min(65_000)]].concat();
    let plain = jpeg(12, 20, 3, Subsamp::None, false);
    let mut file = plain[..2].to_vec();
    file.extend(b"\xff\xe1");
    file.extend((payload.len() as u16 + 2).to_be_bytes());
    file.extend(&payload);
    file.extend(&plain[2..]);
    let upright = sorted(&plain);
    assert!(sorted(&file) == upright, "the block changes pixels");
}

/// The pixels in an order that is independent of the orientation.
fn sorted(file: &[u8]) -> Vec<[u8; 3]> {
    let mut decoder = Decoder::new(Options::default()).unwrap();
    let frame = decoder.open(Encoded::File(file)).unwrap();
    let sides = (frame.width.min(frame.height), frame.width.max(frame.height));
    assert_eq!(sides, (12, 20));
    let region = Region::whole(frame);
    let mut out = vec![0; region.bytes()];
    decoder.pixels(Encoded::File(file), region, &mut out).unwrap();
    let mut pixels = out.as_chunks::<3>().0.to_vec();
    pixels.sort_unstable();
    pixels
}

fn seeds() -> Vec<Vec<u8>> {
    let jpeg = jpeg(8, 8, 1, Subsamp::None, false);
    // From after SOI, the marker, its length and `Exif\0\0` to the end of the block.
    let big = |orientation| with_orientation(&jpeg, orientation)[12..38].to_vec();
    let little = |kind: u8, count: u8, value: u8| {
        let entry = [0x12, 1, kind, 0, count, 0, 0, 0, value, 0, 0, 0];
        [&b"II*\0\x08\0\0\0\x01\0"[..], &entry, &[0; 4]].concat()
    };
    vec![
        big(1),
        big(6),
        big(8),
        little(3, 1, 6),
        little(4, 1, 6),
        little(3, 2, 5),
        little(8, 1, 3),
        little(3, 1, 9),
        Vec::new(),
    ]
}
