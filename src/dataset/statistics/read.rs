//! Reads statistics from a file, and checks that they make sense. A checksum only proves that bytes are what was written, not
//! that they ever were statistics.

use safetensors::tensor::{Dtype, SafeTensors};

use super::{MeanImage, Statistics};
use crate::text::plain;

/// No frame has a longer side.
const LARGEST_SIDE: usize = 65_535;

/// Why a file has no valid statistics.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StatisticsError {
    /// Another format, or truncated.
    #[error("is not a safetensors file, or is damaged ({0})")]
    NotSafetensors(String),
    /// A tensor is missing.
    #[error("has no tensor {0}")]
    Absent(String),
    /// A tensor has another type or shape.
    #[error("its {name} is {found} instead of {wanted}")]
    Shape {
        /// The tensor.
        name: &'static str,
        /// What it is.
        found: String,
        /// What it should be.
        wanted: &'static str,
    },
    /// A number that no images can produce.
    #[error("its {name} contains {value}, which is not {wanted}")]
    Value {
        /// The tensor.
        name: &'static str,
        /// The number.
        value: f64,
        /// What it should be.
        wanted: &'static str,
    },
}

impl Statistics {
    /// From a file's bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StatisticsError> {
        let tensors = SafeTensors::deserialize(bytes)
            .map_err(|error| StatisticsError::NotSafetensors(plain(&error.to_string()).into_owned()))?;
        Self::from_tensors(&tensors, "")
    }

    /// From tensors whose names begin with `prefix`.
    pub fn from_tensors(tensors: &SafeTensors<'_>, prefix: &str) -> Result<Self, StatisticsError> {
        let read = Reader { tensors, prefix };
        let counts = read.eights::<2>("counts", Dtype::U64, &[2], "[2] of U64")?;
        let [images, skipped] = counts.map(u64::from_le_bytes);
        let channel_mean = read.doubles::<3>("channel_mean", &[3], "[3] of F64")?;
        let eigenvalues = read.doubles::<3>("eigenvalues", &[3], "[3] of F64")?;
        let vectors = read.doubles::<9>("eigenvectors", &[3, 3], "[3, 3] of F64")?;
        let mean_image = read.mean_image()?;
        if images == 0 {
            return Err(value("counts", 0.0, "a number of images"));
        }
        let is_shade = |value: f64| (0.0..=255.0).contains(&value);
        each("channel_mean", &channel_mean, "in 0..255", is_shade)?;
        each("eigenvalues", &eigenvalues, "a variance", |value| {
            value >= 0.0 && value.is_finite()
        })?;
        each("eigenvectors", &vectors, "a part of a unit vector", |value| {
            value.abs() < 1.001
        })?;
        if let Some(falling) = eigenvalues.array_windows().find(|[a, b]| a < b) {
            return Err(value("eigenvalues", falling[1], "in falling order"));
        }
        let row = |i: usize| [vectors[3 * i], vectors[3 * i + 1], vectors[3 * i + 2]];
        Ok(Self {
            images,
            skipped,
            channel_mean,
            mean_image,
            eigenvalues,
            eigenvectors: [row(0), row(1), row(2)],
        })
    }
}

fn value(name: &'static str, value: f64, wanted: &'static str) -> StatisticsError {
    StatisticsError::Value { name, value, wanted }
}

fn each(
    name: &'static str,
    values: &[f64],
    wanted: &'static str,
    is_good: impl Fn(f64) -> bool,
) -> Result<(), StatisticsError> {
    match values.iter().find(|&&value| !is_good(value)) {
        Some(&bad) => Err(value(name, bad, wanted)),
        None => Ok(()),
    }
}

/// Tensors with a common prefix.
struct Reader<'a> {
    tensors: &'a SafeTensors<'a>,
    prefix: &'a str,
}

impl Reader<'_> {
    /// Numbers of eight bytes each, with the given shape.
    fn eights<const N: usize>(
        &self,
        name: &'static str,
        kind: Dtype,
        shape: &[usize],
        wanted: &'static str,
    ) -> Result<[[u8; 8]; N], StatisticsError> {
        let full = format!("{}{name}", self.prefix);
        let view = self.tensors.tensor(&full).map_err(|_| StatisticsError::Absent(full))?;
        let (eights, _) = view.data().as_chunks::<8>();
        let numbers: Option<[[u8; 8]; N]> = eights.try_into().ok();
        let fits = view.dtype() == kind && view.shape() == shape;
        numbers.filter(|_| fits).ok_or_else(|| StatisticsError::Shape {
            name,
            found: format!("{:?} of {:?}", view.shape(), view.dtype()),
            wanted,
        })
    }

    fn doubles<const N: usize>(
        &self,
        name: &'static str,
        shape: &[usize],
        wanted: &'static str,
    ) -> Result<[f64; N], StatisticsError> {
        Ok(self.eights(name, Dtype::F64, shape, wanted)?.map(f64::from_le_bytes))
    }

    /// The mean image, if there is one.
    fn mean_image(&self) -> Result<Option<MeanImage>, StatisticsError> {
        let name = "mean_image";
        let Ok(view) = self.tensors.tensor(&format!("{}{name}", self.prefix)) else {
            return Ok(None);
        };
        let side = match *view.shape() {
            [side, same, 3] if side == same && (1..=LARGEST_SIDE).contains(&side) => side,
            _ => 0,
        };
        let (fours, rest) = view.data().as_chunks::<4>();
        if side == 0 || view.dtype() != Dtype::F32 || !rest.is_empty() || fours.len() != 3 * side * side {
            return Err(StatisticsError::Shape {
                name,
                found: format!("{:?} of {:?}", view.shape(), view.dtype()),
                wanted: "[side, side, 3] of F32",
            });
        }
        let values: Vec<f32> = fours.iter().map(|four| f32::from_le_bytes(*four)).collect();
        if let Some(&bad) = values.iter().find(|value| !(0.0..=255.0).contains(*value)) {
            return Err(self::value(name, f64::from(bad), "in 0..255"));
        }
        let side = side as u32;
        Ok(Some(MeanImage { side, values }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn good() -> Statistics {
        Statistics {
            images: 3,
            skipped: 0,
            channel_mean: [1.0, 2.0, 3.0],
            mean_image: Some(MeanImage {
                side: 1,
                values: vec![0.0, 255.0, 3.5],
            }),
            eigenvalues: [0.2, 0.1, 0.0],
            eigenvectors: [[1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, 1.0]],
        }
    }

    fn back(statistics: &Statistics) -> Result<Statistics, StatisticsError> {
        Statistics::from_bytes(&statistics.to_bytes().unwrap())
    }

    #[test]
    fn numbers_that_no_images_give_are_refused() {
        assert_eq!(back(&good()), Ok(good()));
        let wrong: [fn(&mut Statistics); 8] = [
            |s| s.images = 0,
            |s| s.channel_mean[1] = f64::NAN,
            |s| s.channel_mean[2] = 255.5,
            |s| s.eigenvalues[0] = f64::INFINITY,
            |s| s.eigenvalues[2] = -1e-9,
            |s| s.eigenvalues[2] = 0.3,
            |s| s.eigenvectors[2][0] = f64::NAN,
            |s| s.mean_image.as_mut().unwrap().values[2] = f32::NAN,
        ];
        for spoil in wrong {
            let mut statistics = good();
            spoil(&mut statistics);
            assert!(matches!(back(&statistics), Err(StatisticsError::Value { .. })));
        }
    }

    #[test]
    fn a_mean_image_has_as_many_values_as_its_sides_say() {
        let mut bytes = good().to_bytes().unwrap();
        let text = String::from_utf8_lossy(&bytes[8..]).find("[1,1,3]").unwrap() + 8;
        for shape in ["[3,1,1]", "[1,3,1]", "[1,1  ]", "[    3]", "[     ]"] {
            bytes[text..text + 7].copy_from_slice(shape.as_bytes());
            assert!(Statistics::from_bytes(&bytes).is_err(), "{shape}");
        }
    }

    proptest! {
        /// Whatever the bytes: an error, or numbers that make sense; never a panic.
        #[test]
        fn any_damage_is_an_error_or_makes_sense(at in 0usize..600, byte: u8, cut in 0usize..600) {
            let mut bytes = good().to_bytes().unwrap();
            let length = bytes.len();
            bytes[at % length] = byte;
            bytes.truncate(if cut < 300 { length } else { cut });
            if let Ok(statistics) = Statistics::from_bytes(&bytes) {
                prop_assert!(statistics.channel_mean.iter().all(|value| value.is_finite()));
                if let Some(image) = statistics.mean_image {
                    prop_assert_eq!(image.values.len(), 3 * (image.side as usize).pow(2));
                    prop_assert!(image.side > 0);
                }
            }
        }
    }
}
