//! IDX, the format of MNIST and its family: one file of grey images, one of labels, either of them gzipped or not.
//!
//! `idx:DIR/PREFIX` means `DIR/PREFIX-images-idx3-ubyte[.gz]` and `DIR/PREFIX-labels-idx1-ubyte[.gz]`.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

use super::DatasetError;
use super::folder::modified;
use super::listing::Listing;

/// Larger files than this are refused before they fill the memory: the family's largest has 0.6 GB.
const MOST_BYTES: u64 = 8 << 30;

/// Fashion-MNIST's classes; the digit keeps the labels' order where names are sorted.
const FASHION: [&str; 10] = [
    "0-t-shirt",
    "1-trouser",
    "2-pullover",
    "3-dress",
    "4-coat",
    "5-sandal",
    "6-shirt",
    "7-sneaker",
    "8-bag",
    "9-ankle-boot",
];

/// A pair read into memory.
pub(super) struct Listed {
    pub(super) classes: Vec<String>,
    pub(super) listing: Listing,
    pub(super) images: PathBuf,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) pixels: Vec<u8>,
}

/// Reads the pair. A sample's name is its eight-digit number in the file.
pub(super) fn list(location: &str, folder: &Path, prefix: &str) -> Result<Listed, DatasetError> {
    let images = find(location, folder, prefix, "images", 3)?;
    let labels = find(location, folder, prefix, "labels", 1)?;
    let ([count, height, width], pixels) = read::<3>(&images)?;
    let ([label_count], labels_read) = read::<1>(&labels)?;
    let wrong = |file: &Path, reason| DatasetError::Idx {
        file: file.display().to_string(),
        reason,
    };
    if count != label_count {
        let reason = format!(
            "holds {label_count} labels, but {} holds {count} images",
            images.display()
        );
        return Err(wrong(&labels, reason));
    }
    if width == 0 || height == 0 {
        return Err(wrong(&images, format!("its images are {width}x{height}")));
    }
    let mut listing = Listing::default();
    let stamp = fs::metadata(&images).map_or(0, |metadata| modified(&metadata));
    for (record, &label) in labels_read.iter().enumerate() {
        listing.push(
            u32::from(label),
            &format!("{record:08}"),
            u64::from(width * height),
            stamp,
            record as u64,
        );
    }
    let largest = labels_read.iter().copied().max().map_or(0, usize::from);
    let shown = folder.display().to_string().to_ascii_lowercase().replace('_', "-");
    let classes: Vec<String> = if shown.contains("fashion-mnist") && largest < FASHION.len() {
        FASHION.map(str::to_owned).into()
    } else {
        (0..=largest).map(|label| label.to_string()).collect()
    };
    super::classes::check(location, &classes, &listing, 0)?;
    Ok(Listed {
        classes,
        listing,
        images,
        width,
        height,
        pixels,
    })
}

/// The file, in whichever spelling it exists.
fn find(location: &str, folder: &Path, prefix: &str, what: &str, rank: u32) -> Result<PathBuf, DatasetError> {
    let plain = format!("{prefix}-{what}-idx{rank}-ubyte");
    let dotted = format!("{prefix}-{what}.idx{rank}-ubyte");
    let spellings = [
        plain.clone(),
        format!("{plain}.gz"),
        dotted.clone(),
        format!("{dotted}.gz"),
    ];
    spellings
        .iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_file())
        .ok_or_else(|| {
            let hint = format!("no {plain} or {plain}.gz in {}", folder.display());
            DatasetError::NotFound {
                location: location.to_owned(),
                hint,
            }
        })
}

/// Reads one file: the sizes of its dimensions, and its bytes, exactly as many as the sizes say.
fn read<const RANK: usize>(path: &Path) -> Result<([u32; RANK], Vec<u8>), DatasetError> {
    let wrong = |reason| DatasetError::Idx {
        file: path.display().to_string(),
        reason,
    };
    let unreadable = |source| DatasetError::Unreadable {
        path: path.display().to_string(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    let mut reader: Box<dyn Read> = if path.extension().is_some_and(|extension| extension == "gz") {
        Box::new(GzDecoder::new(file))
    } else {
        Box::new(file)
    };
    let mut magic = [0; 4];
    reader.read_exact(&mut magic).map_err(unreadable)?;
    if magic != [0, 0, 8, RANK as u8] {
        return Err(wrong(format!(
            "begins with {magic:?}, but IDX of {RANK} dimensions of bytes with [0, 0, 8, {RANK}]"
        )));
    }
    let mut sizes = [0; RANK];
    for size in &mut sizes {
        let mut bytes = [0; 4];
        reader.read_exact(&mut bytes).map_err(unreadable)?;
        *size = u32::from_be_bytes(bytes);
    }
    let want = sizes
        .iter()
        .try_fold(1_u64, |product, &size| product.checked_mul(u64::from(size)));
    let Some(want) = want.filter(|&want| want <= MOST_BYTES) else {
        return Err(wrong(format!(
            "its header claims {sizes:?}, more than the limit of {MOST_BYTES} bytes"
        )));
    };
    let mut bytes = Vec::new();
    reader.take(want + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 != want {
        let got = if bytes.len() as u64 > want {
            "more".to_owned()
        } else {
            bytes.len().to_string()
        };
        return Err(wrong(format!(
            "its header claims {sizes:?}, {want} bytes, but it holds {got}; download it again"
        )));
    }
    Ok((sizes, bytes))
}
