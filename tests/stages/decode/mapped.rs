//! Files that are written to while they are mapped: whatever they contain at any moment, no write goes out of bounds and
//! nothing panics.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use pipeline::dataset::{Dataset, Encoded, Mapping};
use pipeline::stages::decode::{Decoder, Frame, Options, Raw, Region, Trust};
use tempfile::TempDir;
use turbojpeg::{Subsamp, raw};

use super::makers::{KINDS, made};
use super::pictures::{compressed, decoder, jpeg, picture, whole, with_restarts};

/// A tar of two classes with a file each, and where the files begin in it.
fn tar(files: [&[u8]; 2]) -> (TempDir, PathBuf, Dataset, [u64; 2]) {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x.tar");
    let mut builder = tar::Builder::new(File::create(&path).unwrap());
    for (name, file) in ["a/1.jpg", "b/1.jpg"].into_iter().zip(files) {
        let mut header = tar::Header::new_gnu();
        header.set_size(file.len() as u64);
        builder.append_data(&mut header, name, file).unwrap();
    }
    builder.finish().unwrap();
    let dataset = Dataset::open(path.to_str().unwrap()).unwrap();
    let second = 512 + (files[0].len() as u64).next_multiple_of(512) + 512;
    (root, path, dataset, [512, second])
}

fn write(path: &Path, at: u64, bytes: &[u8]) {
    File::options()
        .write(true)
        .open(path)
        .unwrap()
        .write_all_at(bytes, at)
        .unwrap();
}

#[test]
fn bytes_that_were_read_stay_what_they_were() {
    let file = jpeg(64, 48, 1, Subsamp::Sub2x2, false);
    let (_root, path, dataset, [at, _]) = tar([&file, &file]);
    let mut scratch = Vec::new();
    let read = dataset.read(0, &mut scratch).unwrap();
    write(&path, at, &vec![0xff; file.len()]);
    assert_eq!(read, Encoded::File(&file));
    let mut again = Vec::new();
    assert!(dataset.read(0, &mut again).unwrap() != Encoded::File(&file));
}

/// The position and the number of the pixels are those found first.
#[test]
fn the_header_of_raw_pixels_is_believed_once() {
    let pixels = picture(8, 6, 1);
    let stored = [&b"P6\n8 6\n255\n"[..], &pixels].concat();
    let (_root, path, dataset, [at, _]) = tar([&stored, &stored]);
    let found = Raw::find(&dataset, 0).unwrap().unwrap();
    assert_eq!(found.frame(), Frame { width: 8, height: 6 });
    for header in [
        "P6\n9 9\n255\n",
        "P6\n1 1\n255\n",
        "P6 \n8\n 6 \n2",
        "\0\0\0\0\0\0\0\0\0\0\0",
    ] {
        write(&path, at, header.as_bytes());
        let again = Raw::again(&dataset, 0, found.frame()).unwrap().unwrap();
        assert!(again.pixels().unwrap() == pixels, "{header}");
    }
    assert!(Raw::find(&dataset, 0).unwrap().is_none());
    // As many pixels as the given frame has: an error if the file has too few.
    let frame = Frame {
        width: 100,
        height: 100,
    };
    assert!(Raw::again(&dataset, 0, frame).unwrap().unwrap().pixels().is_err());
}

/// Decodes whole images and parts of `bytes`, each into the front of a buffer whose rest must not change.
fn decode(decoder: &mut Decoder, bytes: &[u8], seed: u32, guarded: &mut [u8]) {
    let encoded = Encoded::File(bytes);
    let trust = [Trust::Unknown, Trust::Verified][seed as usize % 2];
    let mut length = 0;
    // Both acceptance and refusal are correct.
    let _ = decoder.choose(encoded, trust, |frame| {
        let mut region = Region::whole(frame);
        if seed.is_multiple_of(3) {
            (region.x, region.width) = (frame.width / 3, frame.width - frame.width / 3);
            (region.y, region.height) = (frame.height / 4, frame.height.div_ceil(2));
        }
        length = region.bytes();
        Ok(pipeline::stages::decode::Choice {
            region,
            size: (region.width, region.height),
            out: &mut guarded[..length],
        })
    });
    assert!(
        guarded[length..].iter().all(|&byte| byte == 0xab),
        "written past the end of the buffer"
    );
}

/// What a file may turn into at any moment: the same image with other sizes, or something else.
fn versions(file: &[u8]) -> Vec<Vec<u8>> {
    let mut out = vec![file.to_vec()];
    if let Some(at) = file
        .windows(2)
        .position(|pair| pair[0] == 0xff && matches!(pair[1], 0xc0..=0xc3 | 0xc9 | 0xca))
    {
        for size in [[0, 8, 0, 8], [0, 16, 1, 0], [1, 0, 0, 16], [1, 0, 1, 0], [0, 0, 0, 0]] {
            let mut other = file.to_vec();
            other[at + 5..at + 9].copy_from_slice(&size);
            out.push(other.clone());
            // Another process of the same family, or other factors.
            other[at + 1] ^= 1;
            out.push(other.clone());
            other[at + 11] = 0x11;
            out.push(other);
        }
    }
    out.push(vec![0; file.len()]);
    out
}

#[test]
fn a_file_that_is_written_to_while_it_is_decoded_harms_nobody() {
    let mut files = vec![
        jpeg(200, 200, 1, Subsamp::Sub2x2, false),
        with_restarts(200, 200, 2, Subsamp::Sub2x2, 13),
        [&b"P6\n60 50\n255\n"[..], &picture(60, 50, 1)].concat(),
        compressed(
            &picture(100, 90, 3),
            100,
            raw::TJPF_TJPF_RGB,
            &[(raw::TJPARAM_TJPARAM_LOSSLESS, 1)],
        ),
    ];
    files.extend((0..KINDS).map(|kind| made(kind, (90, 80), 5, 2)));
    let root = tempfile::tempdir().unwrap();
    for (number, file) in files.iter().enumerate() {
        let path = root.path().join(number.to_string());
        fs::write(&path, file).unwrap();
        let map = Mapping::open(&path).unwrap();
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                let open = File::options().write(true).open(&path).unwrap();
                let versions = versions(file);
                while !is_over.load(Ordering::Relaxed) {
                    for version in &versions {
                        open.write_all_at(version, 0).unwrap();
                    }
                }
            });
            let options = |shorter_side| Options {
                shorter_side,
                max_pixels: 1 << 17,
                ..Options::default()
            };
            let mut decoders = [None, Some(16)].map(|side| decoder(options(side)));
            let mut guarded = vec![0xab; 3 << 18];
            for seed in 0..60 {
                decode(&mut decoders[seed as usize / 2 % 2], map.bytes(), seed, &mut guarded);
                guarded.fill(0xab);
            }
            is_over.store(true, Ordering::Relaxed);
        });
        // Nothing is left over.
        fs::write(&path, file).unwrap();
        let mut decoder = decoder(Options::default());
        assert!(whole(&mut decoder, map.bytes()).is_ok() == whole(&mut decoder, file).is_ok());
    }
}
