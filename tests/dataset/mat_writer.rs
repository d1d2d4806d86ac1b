//! Writes the MAT files that the tests read: a struct array of the shape that ILSVRC's development kit has.

use std::io::Write;

use flate2::{Compression, write::ZlibEncoder};

/// A synset: ILSVRC2012_ID, WNID, num_children.
pub type Synset<'a> = (u32, &'a str, u32);

/// Size of the header in bytes.
pub const HEADER: usize = 128;

/// The kit's fields, in order.
const FIELDS: [&str; 8] = [
    "ILSVRC2012_ID",
    "WNID",
    "words",
    "gloss",
    "num_children",
    "children",
    "wordnet_height",
    "num_train_images",
];

/// A file with another array and then the array `synsets`, as MATLAB writes it with -v7 (compressed) or -v6.
pub fn meta(synsets: &[Synset<'_>], compressed: bool) -> Vec<u8> {
    let mut out = header();
    for array in [array(6, &[1, 1], "other", &numbers(&[7.5])), structs(synsets)] {
        out.extend(if compressed { compress(&array) } else { array });
    }
    out
}

/// The header of a little-endian file of level 5.
pub fn header() -> Vec<u8> {
    let mut out = b"MATLAB 5.0 MAT-file, made for a test".to_vec();
    out.resize(HEADER - 4, b' ');
    out.extend([0, 1, b'I', b'M']);
    out
}

/// An array as a compressed element; these have no padding.
pub fn compress(array: &[u8]) -> Vec<u8> {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(array).unwrap();
    let bytes = zlib.finish().unwrap();
    let mut out = [15_u32, bytes.len() as u32].map(u32::to_le_bytes).concat();
    out.extend(bytes);
    out
}

fn structs(synsets: &[Synset<'_>]) -> Vec<u8> {
    let mut body = element(5, &32_i32.to_le_bytes());
    let names: Vec<u8> = FIELDS
        .iter()
        .flat_map(|name| {
            let mut padded = name.as_bytes().to_vec();
            padded.resize(32, 0);
            padded
        })
        .collect();
    body.extend(element(1, &names));
    for (id, wnid, children) in synsets {
        body.extend(array(6, &[1, 1], "", &numbers(&[f64::from(*id)])));
        body.extend(array(4, &[1, wnid.len() as i32], "", &characters(wnid)));
        body.extend(array(4, &[1, 5], "", &element(16, b"w\xc3\xb6rds")));
        // An element without bytes represents an empty array.
        body.extend(element(14, &[]));
        body.extend(array(9, &[1, 1], "", &element(2, &[*children as u8])));
        body.extend(array(6, &[1, 3], "", &numbers(&[1.0, 2.0, 3.0])));
        body.extend(array(6, &[1, 1], "", &element(3, &2_i16.to_le_bytes())));
        body.extend(array(6, &[1, 1], "", &element(4, &1300_u16.to_le_bytes())));
    }
    array(2, &[synsets.len() as i32, 1], "synsets", &body)
}

fn array(class: u8, size: &[i32], name: &str, body: &[u8]) -> Vec<u8> {
    let mut out = element(6, &[class, 0, 0, 0, 0, 0, 0, 0]);
    out.extend(element(
        5,
        &size.iter().flat_map(|side| side.to_le_bytes()).collect::<Vec<_>>(),
    ));
    out.extend(element(1, name.as_bytes()));
    out.extend(body);
    element(14, &out)
}

fn numbers(values: &[f64]) -> Vec<u8> {
    element(
        9,
        &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>(),
    )
}

/// Text as MATLAB stores it: two bytes per character.
fn characters(text: &str) -> Vec<u8> {
    element(4, &text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>())
}

fn element(kind: u32, bytes: &[u8]) -> Vec<u8> {
    if (1..=4).contains(&bytes.len()) {
        let mut out = (kind | (bytes.len() as u32) << 16).to_le_bytes().to_vec();
        out.extend(bytes);
        out.resize(8, 0);
        return out;
    }
    let mut out = [kind, bytes.len() as u32].map(u32::to_le_bytes).concat();
    out.extend(bytes);
    out.resize(out.len().next_multiple_of(8), 0);
    out
}
