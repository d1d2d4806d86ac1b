//! Which instructions the kernels use.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU8, Ordering};

/// The instruction sets that kernels are compiled for, the smallest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Instructions {
    /// The instructions that every processor of the architecture has.
    Portable,
    /// AVX2 with fused multiply-add.
    Avx2,
    /// AVX-512: F, VL and DQ.
    Avx512,
}

impl Instructions {
    const ALL: [Self; 3] = [Self::Portable, Self::Avx2, Self::Avx512];

    /// The best set that this processor has.
    fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if super::avx512::Avx512::detect().is_some() {
                return Self::Avx512;
            }
            if super::avx2::Avx2::detect().is_some() {
                return Self::Avx2;
            }
        }
        Self::Portable
    }
}

impl FromStr for Instructions {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.into_iter().find(|instructions| instructions.name() == name);
        named.ok_or("there are portable, avx2 and avx512")
    }
}

impl Instructions {
    /// Its name, as [`from_str`](FromStr::from_str) accepts it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }
}

impl fmt::Display for Instructions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Portable => "plain code",
            Self::Avx2 => "AVX2 and FMA",
            Self::Avx512 => "AVX-512",
        })
    }
}

/// The best set that may be used.
static LIMIT: AtomicU8 = AtomicU8::new(Instructions::Avx512 as u8);

/// Limits the kernels of this process to `most` from now on, for comparisons.
pub fn limit(most: Instructions) {
    LIMIT.store(most as u8, Ordering::Relaxed);
}

/// The best set that [`limit`] permits.
#[inline]
pub(super) fn most() -> Instructions {
    Instructions::ALL[usize::from(LIMIT.load(Ordering::Relaxed))]
}

/// The set that kernels run with.
pub fn used() -> Instructions {
    Instructions::best().min(most())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_is_parsed_and_others_are_refused() {
        for instructions in Instructions::ALL {
            assert_eq!(instructions.name().parse(), Ok(instructions));
        }
        assert!("avx".parse::<Instructions>().is_err());
    }
}
