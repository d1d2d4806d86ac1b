//! Defects that harm no pixel are accepted; all others are refused.

use pipeline::stages::decode::{Decoder, Options};
use turbojpeg::{Subsamp, raw};

use super::encoder::Sequential;
use super::makers::made;
use super::pictures::{compressed, cut, decoder, jpeg, picture, region, trusted, whole, with_restarts};
use super::regions::inside;

/// Files with Huffman codes.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    let sequential = |interleaved, precision| Sequential {
        width: 70,
        height: 50,
        factors: &[(2, 2), (1, 1), (1, 1)],
        interleaved,
        interval: 0,
        precision,
    };
    vec![
        ("4:2:0", jpeg(70, 50, 1, Subsamp::Sub2x2, false)),
        ("4:4:4", jpeg(70, 50, 2, Subsamp::None, false)),
        ("grey", jpeg(70, 50, 3, Subsamp::Gray, false)),
        ("restarts", with_restarts(70, 50, 4, Subsamp::Sub2x2, 5)),
        ("progressive", jpeg(70, 50, 5, Subsamp::Sub2x2, true)),
        ("progressive grey", jpeg(70, 50, 6, Subsamp::Gray, true)),
        ("CMYK", made(6, (70, 50), 7, 0)),
        ("YCCK", made(6, (70, 50), 8, 1)),
        ("in three scans", sequential(false, 8).file(9)),
        ("12 bits", sequential(true, 12).file(10)),
    ]
}

fn is_progressive(file: &[u8]) -> bool {
    file.windows(2).any(|pair| pair == b"\xff\xc2")
}

/// The file with `behind` before its end marker, or in place of it.
fn ending(file: &[u8], behind: &[u8], has_end: bool) -> Vec<u8> {
    let end: &[u8] = if has_end { b"\xff\xd9" } else { b"" };
    [&file[..file.len() - 2], behind, end].concat()
}

fn noise(length: usize) -> Vec<u8> {
    let mut state = 5_u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8 % 255
    };
    (0..length).map(next).collect()
}

/// The trailer that Samsung's cameras write.
fn samsung() -> Vec<u8> {
    let mut out = b"\0\0\x01\x0a\x0e\0\0\0Image_UTC_Data1480075158117".to_vec();
    out.extend(b"SEFH\x6b\0\0\0\x01\0\0\0\0\0\x01\x0a\x23\0\0\0\x23\0\0\0\x18\0\0\0SEFT");
    out
}

/// The position of the payload of the first segment of this kind.
fn payload(file: &[u8], marker: u8) -> usize {
    file.windows(2).position(|pair| pair == [0xff, marker]).unwrap() + 4
}

/// With Adobe's marker in place of JFIF's, or with another transformation.
fn with_adobe(file: &[u8], transformation: u8) -> Vec<u8> {
    let mut out = file.to_vec();
    if let Some(at) = out.windows(5).position(|name| name == b"Adobe") {
        out[at + 11] = transformation;
    } else {
        out.drain(2..20);
        let segment = [&b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0"[..], &[transformation]].concat();
        out.splice(2..2, segment);
    }
    out
}

#[track_caller]
fn is_as_good(decoder: &mut Decoder, good: &[u8], file: &[u8], what: &str) {
    let (frame, all) = whole(decoder, good).unwrap();
    let got = whole(decoder, file).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(got == (frame, all.clone()), "{what}: other pixels");
    for at in [[0.0, 0.0, 0.5, 0.5], [0.3, 0.6, 0.1, 0.2], [1.0, 1.0, 0.0, 0.0]] {
        let wanted = inside(frame, at);
        assert!(
            region(decoder, file, wanted).unwrap() == cut(&all, frame, wanted),
            "{what}"
        );
        assert!(
            trusted(decoder, file, wanted).unwrap() == cut(&all, frame, wanted),
            "{what}"
        );
    }
}

#[test]
fn what_follows_the_last_mcu_harms_nothing() {
    let mut decoder = decoder(Options::default());
    let text = b"and here somebody wrote something".repeat(3);
    for (name, file) in files() {
        let mut trailers = vec![
            ("zeros", vec![0; 258]),
            ("few zeros", vec![0; 9]),
            ("a pattern", [0xde, 0xad, 0xbe].repeat(30)),
            ("text", text.clone()),
            ("Samsung's", samsung()),
        ];
        if !is_progressive(&file) {
            trailers.push(("noise", noise(300)));
        }
        for (trailer, behind) in trailers {
            for has_end in [true, false] {
                let what = format!("{name}, {trailer}, {has_end}");
                is_as_good(&mut decoder, &file, &ending(&file, &behind, has_end), &what);
            }
        }
        is_as_good(
            &mut decoder,
            &file,
            &ending(&file, b"", false),
            &format!("{name}, no end"),
        );
        is_as_good(
            &mut decoder,
            &file,
            &ending(&file, b"\xff", false),
            &format!("{name}, half an end"),
        );
        let second = [&file[..file.len() - 2], &file[..]].concat();
        is_as_good(&mut decoder, &file, &second, &format!("{name}, another after it"));
    }
}

#[test]
fn what_a_header_says_without_need_harms_nothing() {
    let mut decoder = decoder(Options::default());
    for (name, file) in files() {
        if !is_progressive(&file) {
            for bytes in [[0, 0, 0], [1, 5, 0x21], [63, 63, 0]] {
                let mut other = file.clone();
                for (at, _) in file.windows(2).enumerate().filter(|(_, pair)| *pair == b"\xff\xda") {
                    let end = at + 2 + usize::from(file[at + 3]);
                    other[end - 3..end].copy_from_slice(&bytes);
                }
                is_as_good(&mut decoder, &file, &other, &format!("{name}, {bytes:?}"));
                let both = ending(&other, &[0; 100], false);
                is_as_good(&mut decoder, &file, &both, &format!("{name}, {bytes:?} and no end"));
            }
        }
        if file.windows(4).any(|name| name == b"JFIF") {
            let mut other = file.clone();
            for version in [0, 2, 255] {
                other[payload(&file, 0xe0) + 5] = version;
                is_as_good(&mut decoder, &file, &other, &format!("{name}, JFIF {version}"));
            }
        }
        let mut junk = file.clone();
        junk.splice(2..2, *b"junk");
        is_as_good(&mut decoder, &file, &junk, &format!("{name}, junk in the header"));
    }
}

#[test]
fn unknown_transformations_are_those_that_libjpeg_takes_them_for() {
    let mut decoder = decoder(Options::default());
    let colour = jpeg(40, 30, 1, Subsamp::Sub2x2, false);
    for transformation in [2, 3, 5, 255] {
        let what = format!("{transformation}");
        is_as_good(
            &mut decoder,
            &with_adobe(&colour, 1),
            &with_adobe(&colour, transformation),
            &what,
        );
        // JFIF takes precedence.
        let both = [&colour[..20], &with_adobe(&colour, transformation)[2..]].concat();
        is_as_good(&mut decoder, &colour, &both, &what);
    }
    let ycck = made(6, (40, 30), 8, 1);
    for transformation in [1, 3, 255] {
        is_as_good(&mut decoder, &ycck, &with_adobe(&ycck, transformation), "YCCK");
    }
    // Known transformations are applied.
    let (_, as_rgb) = whole(&mut decoder, &with_adobe(&colour, 0)).unwrap();
    assert!(as_rgb != whole(&mut decoder, &colour).unwrap().1);
}

/// Whether libjpeg decodes a file without a warning: then its damage cannot be detected.
fn is_fine(file: &[u8]) -> bool {
    // SAFETY: the handle lives as long as it is used, and the buffer has the size that the header gives.
    unsafe {
        let handle = raw::tj3Init(raw::TJINIT_TJINIT_DECOMPRESS as i32);
        raw::tj3Set(handle, raw::TJPARAM_TJPARAM_STOPONWARNING as i32, 1);
        let mut is_fine = raw::tj3DecompressHeader(handle, file.as_ptr(), file.len() as _) == 0;
        if is_fine {
            let get = |parameter: raw::TJPARAM| raw::tj3Get(handle, parameter as i32) as usize;
            let pixels = get(raw::TJPARAM_TJPARAM_JPEGWIDTH) * get(raw::TJPARAM_TJPARAM_JPEGHEIGHT);
            let mut out = vec![0; 3 * pixels];
            let format = raw::TJPF_TJPF_RGB;
            is_fine = raw::tj3Decompress8(handle, file.as_ptr(), file.len() as _, out.as_mut_ptr(), 0, format) == 0;
        }
        raw::tj3Destroy(handle);
        is_fine
    }
}

/// Something like a photograph: smooth, with noise.
fn photograph(seed: u32, noise: u32) -> Vec<u8> {
    let (width, height) = (100 + seed as usize % 30, 70 + seed as usize % 20);
    let grain = picture(width, height, seed);
    let value = |(i, &grain): (usize, &u8)| {
        let (x, y) = ((i / 3 % width) as f64, (i / 3 / width) as f64);
        let wave = 110.0 + 60.0 * (x / (20.0 + (i % 3) as f64)).sin() + 40.0 * (y / 15.0).cos();
        wave as u8 / 2 + (u32::from(grain) * noise / 255) as u8
    };
    grain.iter().enumerate().map(value).collect()
}

/// Flipped bits and lost, changed or inserted bytes, mostly near the end, alone or together with harmless defects: what libjpeg
/// refuses stays refused. The seeds are fixed, since the result is a matter of probability.
#[test]
fn damage_is_refused_whatever_lies_beside_it() {
    let mut state = 1_u32;
    let mut draw = move |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    let mut decoder = decoder(Options::default());
    let (mut tried, mut wrong) = (0, 0);
    for seed in 0..240 {
        let (noise, quality) = [(0, 75), (30, 50), (30, 85), (90, 95), (90, 30)][draw(5)];
        let settings = [
            (raw::TJPARAM_TJPARAM_QUALITY, quality),
            (
                raw::TJPARAM_TJPARAM_SUBSAMP,
                [Subsamp::Sub2x2, Subsamp::None, Subsamp::Gray][draw(3)] as i32,
            ),
            (raw::TJPARAM_TJPARAM_PROGRESSIVE, i32::from(draw(3) == 0)),
            (raw::TJPARAM_TJPARAM_OPTIMIZE, i32::from(draw(3) == 0)),
            (raw::TJPARAM_TJPARAM_RESTARTBLOCKS, [0, 0, 6][draw(3)]),
        ];
        let width = 100 + seed as usize % 30;
        let good = compressed(&photograph(seed, noise), width, raw::TJPF_TJPF_RGB, &settings);
        let start = good.windows(2).position(|pair| pair == b"\xff\xda").unwrap() + 14;
        for _ in 0..12 {
            let mut bad = good.clone();
            let most = good.len() - 4 - start;
            let span = [most, most.min(200)][draw(2)];
            let at = good.len() - 4 - draw(span);
            match draw(5) {
                0 | 1 => bad[at] ^= 1 << draw(8),
                2 => bad[at] = draw(255) as u8,
                3 => drop(bad.drain(at..(at + 1 + draw(8)).min(good.len() - 2))),
                _ => bad
                    .splice(at..at, (0..=draw(30)).map(|_| draw(255) as u8).collect::<Vec<_>>())
                    .for_each(drop),
            }
            if is_fine(&bad) {
                continue;
            }
            for file in [
                bad.clone(),
                ending(&bad, b"", false),
                ending(&bad, &[0; 30], draw(2) == 0),
            ] {
                tried += 1;
                wrong += u32::from(whole(&mut decoder, &file).is_ok() && !is_fine(&file));
            }
        }
    }
    assert!(tried > 4000, "{tried}");
    assert_eq!(wrong, 0, "of {tried}");
}

/// The end is overwritten, so its contents are unknown.
#[test]
fn an_overwritten_end_is_refused() {
    let mut decoder = decoder(Options::default());
    for (name, file) in files() {
        for from in [file.len() / 2, file.len() * 3 / 4, file.len() - 40, file.len() - 10] {
            for (what, with) in [
                ("zeros", vec![0; 4000]),
                ("text", b"text ".repeat(800)),
                ("noise", noise(4000)),
            ] {
                // Noise can pass for the one or two blocks that are missing.
                if what == "noise" && from > file.len() - 100 {
                    continue;
                }
                for has_end in [true, false] {
                    let mut bad = file[..from].to_vec();
                    bad.extend(&with);
                    bad.extend(if has_end { &b"\xff\xd9"[..] } else { b"" });
                    assert!(
                        whole(&mut decoder, &bad).is_err(),
                        "{name}, {what} from {from} of {}",
                        file.len()
                    );
                }
            }
        }
    }
}

/// libjpeg refuses these, but not because of a warning.
#[test]
fn what_cannot_be_decoded_is_not_called_damaged() {
    let mut decoder = decoder(Options::default());
    let two = Sequential {
        width: 20,
        height: 20,
        factors: &[(1, 1), (1, 1)],
        interleaved: true,
        interval: 0,
        precision: 8,
    };
    let mut ycc = made(8, (20, 20), 1, 0);
    ycc.splice(2..2, *b"\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    for (file, reason) in [
        (
            two.file(1),
            "unsupported JPEG: Could not determine colorspace of JPEG image",
        ),
        (ycc, "unsupported JPEG: lossless, but not in RGB"),
    ] {
        assert_eq!(whole(&mut decoder, &file).unwrap_err().to_string(), reason);
    }
}

/// Lossless JPEGs show exactly what happens to the pixels.
#[test]
fn lossless_images_are_exact() {
    let mut decoder = decoder(Options::default());
    let pixels = picture(30, 20, 3);
    assert!(whole(&mut decoder, &made(8, (30, 20), 3, 0)).unwrap().1 == pixels);
    let tripled: Vec<u8> = pixels.iter().step_by(3).flat_map(|&grey| [grey; 3]).collect();
    assert!(whole(&mut decoder, &made(9, (30, 20), 3, 0)).unwrap().1 == tripled);
}
