//! Mutated inputs without guidance: random changes of the kinds that a fuzzer makes to a seed.

use pipeline::rng::{Philox, Purpose};

/// A reproducible source of mutated seeds.
pub struct Mutator<'a> {
    random: Philox,
    seeds: &'a [Vec<u8>],
    words: &'a [&'a [u8]],
}

impl<'a> Mutator<'a> {
    /// Mutations of `seeds`, using `words` of their format; `number` selects the sequence.
    pub fn new(number: u64, seeds: &'a [Vec<u8>], words: &'a [&'a [u8]]) -> Self {
        Self {
            random: Philox::new(number, Purpose::Benchmark, 0, 0),
            seeds,
            words,
        }
    }

    /// The next input: a seed with a few changes.
    pub fn next(&mut self) -> Vec<u8> {
        let mut bytes = self.seeds[self.below(self.seeds.len())].clone();
        // Mostly one or two: among many changes the first hides the others.
        let changes = 1 + self.below(2) + if self.below(8) == 0 { self.below(12) } else { 0 };
        for _ in 0..changes {
            self.change(&mut bytes);
        }
        bytes
    }

    fn below(&mut self, n: usize) -> usize {
        self.random.below(n.max(1) as u32) as usize
    }

    /// A position in the input, often near the beginning, where headers are.
    fn place(&mut self, bytes: &[u8]) -> usize {
        let reach = if self.below(3) == 0 {
            bytes.len().min(64)
        } else {
            bytes.len()
        };
        self.below(reach)
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            bytes.extend_from_slice(self.word());
            return;
        }
        let at = self.place(bytes);
        match self.below(12) {
            0..=2 => bytes[at] ^= 1 << self.below(8),
            3 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff, b'0', b'\n'][self.below(7)],
            4 => bytes[at] = self.random.next_u32() as u8,
            5 => self.number(bytes, at),
            6 => bytes.truncate(at),
            7 => {
                let end = at + 1 + self.below((bytes.len() - at).min(600));
                bytes.drain(at..end.min(bytes.len()));
            }
            8 => {
                let end = (at + 1 + self.below(600)).min(bytes.len());
                let again = bytes[at..end].to_vec();
                let to = self.below(bytes.len());
                bytes.splice(to..to, again);
            }
            9 => {
                let word = self.word();
                bytes.splice(at..at, word.iter().copied());
            }
            10 => {
                let word = self.word();
                let end = (at + word.len()).min(bytes.len());
                bytes[at..end].copy_from_slice(&word[..end - at]);
            }
            _ => {
                let other = &self.seeds[self.below(self.seeds.len())];
                let from = self.below(other.len());
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
        }
    }

    fn word(&mut self) -> &'a [u8] {
        self.words[self.below(self.words.len())]
    }

    /// Writes a number of two, four or eight bytes, near the limits of its type or near the value that was there.
    fn number(&mut self, bytes: &mut [u8], at: usize) {
        let width = [2, 4, 8][self.below(3)].min(bytes.len() - at);
        let mut value = [0; 8];
        value[..width].copy_from_slice(&bytes[at..at + width]);
        let value = u64::from_le_bytes(value);
        let value = match self.below(5) {
            0 => value.wrapping_add(1),
            1 => value.wrapping_sub(1),
            2 => u64::MAX,
            3 => 1 << self.below(8 * width),
            _ => 0,
        };
        let mut value = value.to_le_bytes();
        if self.below(2) == 0 {
            value[..width].reverse();
        }
        bytes[at..at + width].copy_from_slice(&value[..width]);
    }
}
