//! Images: JPEG, PNG and PPM, whatever their names.

use pipeline::dataset::Encoded;
use pipeline::stages::decode::{DecodeError, Decoder, Frame, Options, Region, Trust};
use turbojpeg::Subsamp;
use xxhash_rust::xxh3::xxh3_64;

use super::Target;
use super::archives::repair_png;
use super::data::fit_for_people;
use super::pictures::{cut, jpeg, picture, with_orientation, with_restarts};

pub(super) const TARGET: Target = Target {
    name: "image",
    run,
    seeds,
    words: &[
        b"\xff\xd8\xff",
        b"\xff\xd9",
        b"\xff\xda",
        b"\xff\xc0",
        b"\xff\xc2",
        b"\xff\xc4",
        b"\xff\xdb",
        b"\xff\xdd",
        b"\xff\xd0",
        b"\xff\xee\x00\x0eAdobe",
        b"JFIF\0",
        b"Exif\0\0",
        b"\x89PNG\r\n\x1a\n",
        b"IHDR",
        b"IDAT",
        b"PLTE",
        b"tRNS",
        b"iCCP",
        b"zTXt",
        b"acTL",
        b"P6\n",
        b"65535",
        b"4294967295",
    ],
    memory: 64 << 20,
};

/// Frames of more pixels are slow and add nothing here.
const MAX_PIXELS: u64 = 1 << 18;

/// Guard bytes around a buffer, which must not be written.
const AROUND: usize = 64;

/// The first byte: what is done with the image.
fn run(bytes: &[u8]) {
    let Some((&flags, file)) = bytes.split_first() else {
        return;
    };
    let mut file = file.to_vec();
    if flags & 8 == 8 && file.starts_with(b"\x89PNG") {
        repair_png(&mut file);
    }
    let options = Options {
        shorter_side: (flags & 1 == 1).then(|| 1 + u32::from(flags >> 4) * 5),
        square: flags & 2 == 2,
        dct_scaling: flags & 8 == 8,
        exif: flags & 4 == 4,
        max_pixels: MAX_PIXELS,
        ..Options::default()
    };
    examine(&file, options);
}

/// The whole and its regions are accepted or refused together, and a region is a crop of the whole.
pub(super) fn examine(file: &[u8], options: Options) {
    let mut decoder = Decoder::new(options).unwrap();
    let frame = match decoder.open(Encoded::File(file)) {
        Ok(frame) => frame,
        Err(error) => return fit_for_people(&error.to_string()),
    };
    assert!(
        u64::from(frame.width) * u64::from(frame.height) <= MAX_PIXELS,
        "{frame:?}"
    );
    let whole = part(&mut decoder, file, Region::whole(frame), Trust::Unknown);
    for region in regions(file, frame) {
        let got = part(&mut decoder, file, region, Trust::Unknown);
        match (&whole, got) {
            (Ok(whole), Ok(got)) => {
                assert!(
                    got == cut(whole, frame, region),
                    "{region:?} of {frame:?} is not the crop of the whole"
                );
                let trusted = part(&mut decoder, file, region, Trust::Verified).unwrap();
                assert!(
                    got == trusted,
                    "{region:?} of {frame:?} depends on whether the bytes are known to be good"
                );
            }
            (Err(_), Err(_)) => {}
            (whole, got) => panic!(
                "the whole of {frame:?}: {:?}, {region:?} of it: {:?}",
                whole.as_ref().map(|_| "accepted"),
                got.map(|_| "accepted")
            ),
        }
    }
    match whole {
        Ok(whole) => {
            let again = part(
                &mut Decoder::new(options).unwrap(),
                file,
                Region::whole(frame),
                Trust::Unknown,
            );
            assert!(again.unwrap() == whole, "a fresh decoder gives other pixels");
        }
        Err(error) => fit_for_people(&error.to_string()),
    }
}

fn part(decoder: &mut Decoder, file: &[u8], region: Region, trust: Trust) -> Result<Vec<u8>, DecodeError> {
    let mut buffer = vec![0xab; region.bytes() + 2 * AROUND];
    let out = &mut buffer[AROUND..AROUND + region.bytes()];
    let decoded = decoder.scaled(Encoded::File(file), trust, region, (region.width, region.height), out);
    let (before, rest) = buffer.split_at(AROUND);
    let (out, after) = rest.split_at(region.bytes());
    assert!(
        before.iter().chain(after).all(|&byte| byte == 0xab),
        "written outside the buffer"
    );
    decoded.map(|()| out.to_vec())
}

/// A few regions that depend only on the file.
fn regions(file: &[u8], frame: Frame) -> [Region; 3] {
    let mut draw = xxh3_64(file);
    let mut below = |n: u32| {
        draw = draw
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((draw >> 33) as u32) % n.max(1)
    };
    [0, 1, 2].map(|_| {
        let (x, y) = (below(frame.width), below(frame.height));
        Region {
            x,
            y,
            width: 1 + below(frame.width - x),
            height: 1 + below(frame.height - y),
        }
    })
}

fn seeds() -> Vec<Vec<u8>> {
    let mut files = vec![
        png(13, 9, 2, false),
        png(9, 13, 6, false),
        png(8, 8, 3, true),
        [&b"P6\n5 3\n255\n"[..], &picture(5, 3, 1)].concat(),
        with_orientation(&jpeg(33, 20, 5, Subsamp::Sub2x2, false), 6),
        with_restarts(70, 40, 7, Subsamp::Sub2x2, 5),
        with_restarts(48, 48, 8, Subsamp::None, 1),
    ];
    let kinds = [
        Subsamp::None,
        Subsamp::Sub2x1,
        Subsamp::Sub2x2,
        Subsamp::Gray,
        Subsamp::Sub1x2,
        Subsamp::Sub4x1,
    ];
    for (i, subsamp) in kinds.into_iter().enumerate() {
        files.push(jpeg(24 + 9 * i, 40 - 3 * i, i as u32, subsamp, i % 2 == 1));
    }
    let progressive = jpeg(40, 33, 11, Subsamp::Sub2x2, true);
    files.extend([1, 4, 7].map(|scans| with_scans(&progressive, scans)));
    let flags = [0, 4, 1 | 4 | 8 | 0x30, 2 | 1 | 0x20];
    let with_flags = files
        .iter()
        .enumerate()
        .map(|(i, file)| [&[flags[i % 4]], &file[..]].concat());
    with_flags.collect()
}

/// A JPEG cut after its first scans, with an end marker.
fn with_scans(jpeg: &[u8], scans: usize) -> Vec<u8> {
    let starts = jpeg.windows(2).enumerate().filter(|(_, two)| two == b"\xff\xda");
    let end = starts.map(|(at, _)| at).nth(scans).unwrap();
    // A Huffman table for the next scan may precede the cut, which is harmless.
    [&jpeg[..end], b"\xff\xd9"].concat()
}

/// A PNG of 8 bits per channel: colour type 2 is RGB, 6 is RGBA, 3 has a palette.
fn png(width: u32, height: u32, colour: u8, interlaced: bool) -> Vec<u8> {
    use flate2::{Compression, write::ZlibEncoder};
    use std::io::Write;
    let channels = match colour {
        2 => 3,
        6 => 4,
        _ => 1,
    };
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    for y in 0..height {
        // Interlaced images have different rows, so these are incomplete; that is a test case too.
        zlib.write_all(&[(y % 5) as u8]).unwrap();
        zlib.write_all(&picture(width as usize * channels, 1, y)[..width as usize * channels])
            .unwrap();
    }
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |kind: &[u8], bytes: &[u8]| {
        out.extend((bytes.len() as u32).to_be_bytes());
        out.extend(kind);
        out.extend(bytes);
        out.extend([0; 4]);
    };
    let head = [
        &width.to_be_bytes()[..],
        &height.to_be_bytes(),
        &[8, colour, 0, 0, u8::from(interlaced)],
    ]
    .concat();
    chunk(b"IHDR", &head);
    if colour == 3 {
        chunk(b"PLTE", &picture(256, 1, 3));
    }
    chunk(b"IDAT", &zlib.finish().unwrap());
    chunk(b"IEND", b"");
    repair_png(&mut out);
    out
}
