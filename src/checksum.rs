//! A file's checksum of itself: XXH3 of all its bytes, with zeros in place of the sixteen digits of the sum.
//!
//! So a change of a file that decides results is detected without a second file, and the file remains valid JSON or
//! safetensors.

use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// The key whose value is the sum. It occurs once in a file.
pub const KEY: &str = "own_xxh3";

/// The digits in place of the sum while it is computed.
pub const BLANK: &str = "0000000000000000";

/// An object followed by its sum.
#[derive(Serialize)]
struct Summed<'a, T> {
    #[serde(flatten)]
    content: &'a T,
    own_xxh3: &'static str,
}

/// Writes the sum into a file in place of [`BLANK`]. False if there is no place for it.
#[must_use]
pub fn put(bytes: &mut [u8]) -> bool {
    let sum = digits(xxh3_64(bytes));
    let Some(at) = place(bytes) else { return false };
    bytes[at..at + sum.len()].copy_from_slice(sum.as_bytes());
    true
}

/// Whether a file is, bit for bit, the one that [`put`] made.
pub fn is_right(bytes: &[u8]) -> bool {
    let Some(at) = place(bytes) else { return false };
    bytes[at..at + BLANK.len()] == *sum_around(bytes, at).as_bytes()
}

/// The sum of a file whose digits begin at `at`.
pub fn sum_around(bytes: &[u8], at: usize) -> String {
    let mut hash = Xxh3::new();
    hash.update(&bytes[..at]);
    hash.update(BLANK.as_bytes());
    hash.update(&bytes[at + BLANK.len()..]);
    digits(hash.digest())
}

/// A sum as text for JSON, whose numbers do not hold 64 bits safely.
pub fn digits(sum: u64) -> String {
    format!("{sum:016x}")
}

/// An object as lines of JSON, with its sum at the end.
pub fn to_json(content: &impl Serialize) -> io::Result<Vec<u8>> {
    let own_xxh3 = BLANK;
    let mut text = serde_json::to_vec_pretty(&Summed { content, own_xxh3 })?;
    text.push(b'\n');
    if put(&mut text) {
        Ok(text)
    } else {
        Err(io::Error::other(format!("its content has a key {KEY} of its own")))
    }
}

/// Reads what [`to_json`] wrote. The error is the reason.
pub fn from_json<T: DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    if !is_right(text) {
        return Err(format!(
            "has changed since it was written: its checksum {KEY} does not match"
        ));
    }
    serde_json::from_slice(text).map_err(|error| format!("is damaged: {error}"))
}

/// The position of the sum's digits. (No text inside JSON looks like the key: quotation marks in texts are escaped.)
fn place(bytes: &[u8]) -> Option<usize> {
    let key = format!("\"{KEY}\":");
    let mut found = bytes
        .windows(key.len())
        .enumerate()
        .filter(|(_, at)| *at == key.as_bytes());
    let (at, _) = found.next()?;
    if found.next().is_some() {
        return None;
    }
    let mut from = at + key.len();
    from += usize::from(bytes.get(from) == Some(&b' '));
    let value = bytes.get(from..from + BLANK.len() + 2)?;
    (value.first() == Some(&b'"') && value.last() == Some(&b'"')).then_some(from + 1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_flipped_bit_is_found() {
        let content = BTreeMap::from([("a", "\"own_xxh3\": \"x"), ("z", "ü\n")]);
        let text = to_json(&content).unwrap();
        let back: BTreeMap<String, String> = from_json(&text).unwrap();
        assert_eq!(back["a"], content["a"]);
        for bit in 0..8 * text.len() {
            let mut flipped = text.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(!is_right(&flipped), "bit {bit}");
        }
        for length in 0..text.len() {
            assert!(!is_right(&text[..length]));
        }
        assert!(!is_right(&[&text[..], b" "].concat()));
    }

    #[test]
    fn a_second_sum_is_refused() {
        assert!(to_json(&BTreeMap::from([(KEY, BLANK)])).is_err());
    }
}
