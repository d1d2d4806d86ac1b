//! Tars and gzipped files for seeds, and repairs that make a mutated file readable again: a reader that stops at the first bad
//! checksum never reaches the rest.

use std::io::Write;

use flate2::write::GzEncoder;
use flate2::{Compression, Crc};

const BLOCK: usize = 512;

/// A tar of `members`, with their names as given.
pub fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(1);
        let short = name.len() < 100;
        if short {
            // The builder would refuse names that lead outside.
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            builder.append(&header, *bytes).unwrap();
        } else {
            builder.append_data(&mut header, name, *bytes).unwrap();
        }
    }
    builder.into_inner().unwrap()
}

/// A tar with members that are not files: a folder, both kinds of links, a device.
pub fn tar_of_kinds() -> Vec<u8> {
    use tar::EntryType::{Block, Directory, Link, Symlink};
    let mut builder = tar::Builder::new(Vec::new());
    for (name, kind, target) in [
        ("a/", Directory, ""),
        ("a/1.jpg", tar::EntryType::Regular, ""),
        ("b/2.jpg", Link, "a/1.jpg"),
        ("b/3.jpg", Symlink, "../a/1.jpg"),
        ("c/4.jpg", Block, ""),
    ] {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(kind);
        header.set_size(0);
        header.set_path(name).unwrap();
        if !target.is_empty() {
            header.set_link_name(target).unwrap();
        }
        header.set_cksum();
        builder.append(&header, &[][..]).unwrap();
    }
    builder.into_inner().unwrap()
}

/// Corrects the checksum of each header that a reader reaches.
pub fn repair_tar(tar: &mut [u8]) {
    let mut at = 0;
    while let Some(block) = tar.get_mut(at..at + BLOCK) {
        if block.iter().all(|&byte| byte == 0) {
            break;
        }
        let sum: u32 = block[..148]
            .iter()
            .chain(&block[156..])
            .map(|&byte| u32::from(byte))
            .sum();
        let sum = format!("{:06o}\0 ", sum + 8 * u32::from(b' '));
        block[148..156].copy_from_slice(sum.as_bytes());
        let digits = str::from_utf8(&block[124..135])
            .unwrap_or_default()
            .trim_matches(['\0', ' ']);
        let size = usize::from_str_radix(digits, 8).unwrap_or(0);
        at = at.saturating_add(BLOCK).saturating_add(size.next_multiple_of(BLOCK));
    }
}

/// Corrects the checksum of each chunk of a PNG.
pub fn repair_png(png: &mut [u8]) {
    let mut at = 8;
    while let Some(length) = png.get(at..at + 4) {
        let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
        let end = at.saturating_add(8).saturating_add(length);
        if end.saturating_add(4) > png.len() {
            break;
        }
        let mut crc = Crc::new();
        crc.update(&png[at + 4..end]);
        png[end..end + 4].copy_from_slice(&crc.sum().to_be_bytes());
        at = end + 4;
    }
}

/// `bytes`, gzipped.
pub fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

/// Splits an input into parts, each preceded by its length in two bytes; the last part is the rest.
pub fn parts<const N: usize>(mut data: &[u8]) -> [&[u8]; N] {
    let mut parts = [&[][..]; N];
    for (i, part) in parts.iter_mut().enumerate() {
        if i + 1 == N {
            *part = data;
            break;
        }
        let Some((length, rest)) = data.split_first_chunk() else {
            break;
        };
        let length = usize::from(u16::from_le_bytes(*length)).min(rest.len());
        (*part, data) = rest.split_at(length);
    }
    parts
}

/// The inverse of [`parts`].
pub fn joined(parts: &[&[u8]]) -> Vec<u8> {
    let (last, first) = parts.split_last().unwrap();
    let mut out = Vec::new();
    for part in first {
        out.extend((part.len() as u16).to_le_bytes());
        out.extend(*part);
    }
    out.extend(*last);
    out
}

/// The flags in the first byte and the tar after it, with corrected header checksums if the lowest flag is set.
pub fn flags_and_tar(bytes: &[u8]) -> Option<(u8, Vec<u8>)> {
    let (&flags, tar) = bytes.split_first()?;
    let mut tar = tar.to_vec();
    if flags & 1 == 1 {
        repair_tar(&mut tar);
    }
    Some((flags, tar))
}
