//! IDX, the format of MNIST and its family: one file of grey images and one of labels, each gzipped or not.
//!
//! `idx:DIR/PREFIX` means `DIR/PREFIX-images-idx3-ubyte[.gz]` and `DIR/PREFIX-labels-idx1-ubyte[.gz]`.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

use super::DatasetError;
use super::folder::modified;
use super::listing::Listing;
use super::name::SampleName;
use crate::files;
use crate::text;

/// The largest file that is read into memory. The family's largest has 0.6 GB.
const MAX_BYTES: u64 = 8 << 30;

/// The same limit for a gzipped file, which may take a thousandth of that on disk.
const MAX_UNZIPPED: u64 = 1 << 30;

/// More images than this are refused. The family's largest file has 0.8 million.
const MAX_IMAGES: u64 = 1 << 24;

/// Fashion-MNIST's classes. The digit keeps the order of the labels when names are sorted.
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

/// A pair of files, read into memory.
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
    let images_file = Open::<3>::new(&images)?;
    let labels_file = Open::<1>::new(&labels)?;
    let ([count, height, width], [label_count]) = (images_file.sizes, labels_file.sizes);
    if count != label_count {
        let reason = format!(
            "has {label_count} labels, but {} has {count} images",
            text::path(&images)
        );
        return Err(wrong(&labels, reason));
    }
    if width == 0 || height == 0 {
        return Err(wrong(&images, format!("its images have {width}x{height} pixels")));
    }
    if u64::from(count) > MAX_IMAGES {
        return Err(wrong(
            &images,
            format!("its header claims {count} images, which exceeds the limit of {MAX_IMAGES}"),
        ));
    }
    let labels_read = labels_file.read()?;
    let pixels = images_file.read()?;
    let mut listing = Listing::default();
    listing.is_numbered = true;
    let stamp = modified(&fs::metadata(&images).map_err(DatasetError::unreadable(&images))?);
    for (record, &label) in labels_read.iter().enumerate() {
        let name = format!("{record:08}");
        let name = SampleName::new(&name).map_err(DatasetError::name(&text::path(&labels), &name))?;
        let size = u64::from(width) * u64::from(height);
        listing.push(u32::from(label), name, size, stamp, record as u64);
    }
    let largest = labels_read.iter().copied().max().map_or(0, usize::from);
    let shown = folder.to_string_lossy().to_ascii_lowercase().replace('_', "-");
    let classes: Vec<String> = if shown.contains("fashion-mnist") && largest < FASHION.len() {
        FASHION.map(str::to_owned).into()
    } else {
        (0..=largest).map(|label| label.to_string()).collect()
    };
    Ok(Listed {
        classes,
        listing,
        images,
        width,
        height,
        pixels,
    })
}

/// The file, under either spelling.
fn find(location: &str, folder: &Path, prefix: &str, what: &str, rank: u32) -> Result<PathBuf, DatasetError> {
    let plain = format!("{prefix}-{what}-idx{rank}-ubyte");
    let dotted = format!("{prefix}-{what}.idx{rank}-ubyte");
    let zipped = [&plain, &dotted].map(|name| format!("{name}.gz"));
    let spellings = [&plain, &zipped[0], &dotted, &zipped[1]];
    for name in spellings {
        let path = folder.join(name);
        if files::is_file(&path).map_err(DatasetError::unreadable(&path))? {
            return Ok(path);
        }
    }
    let name = text::plain(&plain);
    Err(DatasetError::NotFound {
        location: location.to_owned(),
        hint: format!("no {name} or {name}.gz in {}", text::path(folder)),
    })
}

fn wrong(file: &Path, reason: String) -> DatasetError {
    DatasetError::Idx {
        file: text::path(file),
        reason,
    }
}

/// A file after its header has been read: the sizes of its dimensions.
struct Open<'a, const RANK: usize> {
    path: &'a Path,
    reader: Box<dyn Read>,
    sizes: [u32; RANK],
    /// The product of the sizes.
    bytes: u64,
}

impl<'a, const RANK: usize> Open<'a, RANK> {
    /// Reads a header. Refuses one that claims more bytes than the limit, or more than the file has.
    fn new(path: &'a Path) -> Result<Self, DatasetError> {
        let unreadable = |source| DatasetError::unreadable(path)(source);
        let file = File::open(path).map_err(unreadable)?;
        let length = file.metadata().map_err(unreadable)?.len();
        let is_zipped = path.extension().is_some_and(|extension| extension == "gz");
        let mut reader: Box<dyn Read> = if is_zipped {
            Box::new(GzDecoder::new(file))
        } else {
            Box::new(file)
        };
        let mut magic = [0; 4];
        reader.read_exact(&mut magic).map_err(unreadable)?;
        if magic != [0, 0, 8, RANK as u8] {
            return Err(wrong(
                path,
                format!(
                    "begins with {magic:?}, but an IDX file of bytes in {RANK} dimensions begins with [0, 0, 8, {RANK}]"
                ),
            ));
        }
        let mut sizes = [0; RANK];
        for size in &mut sizes {
            let mut bytes = [0; 4];
            reader.read_exact(&mut bytes).map_err(unreadable)?;
            *size = u32::from_be_bytes(bytes);
        }
        let max = if is_zipped { MAX_UNZIPPED } else { MAX_BYTES };
        let product = sizes
            .iter()
            .try_fold(1_u64, |product, &size| product.checked_mul(u64::from(size)));
        let Some(bytes) = product.filter(|&bytes| bytes <= max) else {
            return Err(wrong(
                path,
                format!("its header claims {sizes:?}, which exceeds the limit of {max} bytes"),
            ));
        };
        let open = Self {
            path,
            reader,
            sizes,
            bytes,
        };
        let held = length.saturating_sub(4 + 4 * RANK as u64);
        if !is_zipped && held != bytes {
            return Err(open.wrong_length(&held.to_string()));
        }
        Ok(open)
    }

    /// Reads exactly as many bytes as the sizes say.
    fn read(mut self) -> Result<Vec<u8>, DatasetError> {
        let mut bytes = Vec::new();
        let mut reader = (&mut self.reader).take(self.bytes + 1);
        let read = reader.read_to_end(&mut bytes);
        read.map_err(DatasetError::unreadable(self.path))?;
        if bytes.len() as u64 == self.bytes {
            return Ok(bytes);
        }
        let is_more = bytes.len() as u64 > self.bytes;
        let held = if is_more {
            "more".to_owned()
        } else {
            bytes.len().to_string()
        };
        Err(self.wrong_length(&held))
    }

    fn wrong_length(&self, held: &str) -> DatasetError {
        let (sizes, bytes) = (self.sizes, self.bytes);
        wrong(
            self.path,
            format!("its header claims {sizes:?}, {bytes} bytes, but it has {held}; download it again"),
        )
    }
}
