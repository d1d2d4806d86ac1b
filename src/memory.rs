//! Amounts of memory that never wrap, and allocations that fail without an abort.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Mul};

use bytemuck::Zeroable;

/// A number of bytes. It never wraps: an amount that does not fit 64 bits becomes the largest number, which no machine has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(u64);

impl Bytes {
    /// This many bytes.
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// The size of `count` elements of the type.
    pub const fn of<T>(count: usize) -> Self {
        Self((count as u64).saturating_mul(size_of::<T>() as u64))
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The number in millions of bytes.
    pub fn megabytes(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// A readable size, in the largest unit that gives at least one: `1.3 GB`, `60 MB`, `4 kB`.
    pub fn for_people(self) -> String {
        match self.0 as f64 {
            bytes if bytes >= 1e9 => format!("{:.1} GB", bytes / 1e9),
            bytes if bytes >= 1e6 => format!("{:.0} MB", bytes / 1e6),
            bytes => format!("{:.0} kB", bytes / 1e3),
        }
    }

    /// The rest when `used` is in use.
    #[must_use]
    pub const fn without(self, used: Self) -> Self {
        Self(self.0.saturating_sub(used.0))
    }

    /// This percentage of it.
    #[must_use]
    pub const fn percent(self, percent: u64) -> Self {
        Self((self.0 / 100).saturating_mul(percent))
    }
}

impl Add for Bytes {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Mul<usize> for Bytes {
    type Output = Self;

    fn mul(self, count: usize) -> Self {
        Self(self.0.saturating_mul(count as u64))
    }
}

impl Sum for Bytes {
    fn sum<I: Iterator<Item = Self>>(each: I) -> Self {
        each.fold(Self::default(), Self::add)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} MB", self.megabytes())
    }
}

/// A failed allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("could not allocate {bytes} for {what}")]
pub struct NoMemory {
    /// The purpose of the memory.
    pub what: &'static str,
    /// How much.
    pub bytes: Bytes,
}

/// `count` zeros for `what`. Pages are only taken when they are first written.
pub fn zeroed<T: Zeroable>(what: &'static str, count: usize) -> Result<Vec<T>, NoMemory> {
    bytemuck::allocation::try_zeroed_vec(count).map_err(|()| NoMemory {
        what,
        bytes: Bytes::of::<T>(count),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_end_where_64_bits_do() {
        let most = Bytes::new(u64::MAX);
        assert_eq!(Bytes::of::<f32>(usize::MAX), most);
        assert_eq!(Bytes::of::<f32>(1 << 40) * (1 << 30), most);
        assert_eq!(most + Bytes::new(1), most);
        assert_eq!([most, most].into_iter().sum::<Bytes>(), most);
        assert_eq!(Bytes::of::<f32>(3) * 5 + Bytes::new(2), Bytes::new(62));
        assert_eq!(Bytes::new(3).without(most), Bytes::new(0));
        let shown = [1_340_000_000, 59_600_000, 4_100].map(|bytes| Bytes::new(bytes).for_people());
        assert_eq!(shown, ["1.3 GB", "60 MB", "4 kB"]);
        assert_eq!(Bytes::new(1000).percent(80).to_string(), "0.0 MB");
    }

    #[test]
    fn memory_that_is_not_given_is_an_error_that_says_how_much() {
        assert_eq!(zeroed::<f32>("a test", 3), Ok(vec![0.0; 3]));
        for count in [usize::MAX, usize::MAX / 8, 1 << 58] {
            let refused = zeroed::<f32>("a test", count).unwrap_err();
            assert_eq!(refused.bytes, Bytes::of::<f32>(count));
            assert!(refused.to_string().starts_with("could not allocate "));
        }
    }
}
