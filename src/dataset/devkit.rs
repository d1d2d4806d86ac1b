//! ILSVRC 2012's development kit: the class for each number, and the numbers of the validation images.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;

use super::DatasetError;
use super::mat::{self, Value};
use super::name::ClassName;
use super::whole;
use crate::files;
use crate::text;

const FOLDER: &str = "ILSVRC2012_devkit_t12";
const ARCHIVE: &str = "ILSVRC2012_devkit_t12.tar.gz";
const META: &str = "data/meta.mat";
const TRUTH: &str = "data/ILSVRC2012_validation_ground_truth.txt";

/// A file larger than this does not belong to the kit, whose largest file has 1 MB.
const MAX_BYTES: u64 = 16 << 20;

/// The kit's archive holds 2.5 MB. No more than this is decompressed.
const MAX_ARCHIVE: u64 = 64 << 20;

/// The contents of the kit.
pub(super) struct Devkit {
    /// The WNIDs of the classes, sorted by their bytes.
    pub(super) classes: Vec<String>,
    /// One label per image, in the order of the images' names.
    pub(super) labels: Vec<u32>,
    /// Where the labels come from, for messages.
    pub(super) truth: String,
}

/// One of the kit's files, in memory.
struct Text {
    shown: String,
    bytes: Vec<u8>,
}

/// Reads the kit in `folder`, either unpacked or from its archive.
pub(super) fn read(location: &str, folder: &Path) -> Result<Devkit, DatasetError> {
    let [meta, truth] = files(location, folder)?;
    let numbered = classes(&meta)?;
    let mut classes: Vec<String> = numbered.values().cloned().collect();
    classes.sort_unstable();
    if let Some([wnid, _]) = classes.array_windows().find(|[a, b]| a == b) {
        return Err(wrong(
            &meta.shown,
            format!("two of its classes have the WNID {}", text::plain(wnid)),
        ));
    }
    let label = |wnid: &String| classes.binary_search(wnid).unwrap_or_default() as u32;
    let labels: BTreeMap<u32, u32> = numbered.iter().map(|(&id, wnid)| (id, label(wnid))).collect();
    let labels = ground_truth(&truth, &labels)?;
    Ok(Devkit {
        classes,
        labels,
        truth: truth.shown,
    })
}

fn wrong(file: &str, reason: String) -> DatasetError {
    DatasetError::Ilsvrc {
        file: file.to_owned(),
        reason,
    }
}

/// The classes by ILSVRC2012_ID: all synsets without children.
fn classes(meta: &Text) -> Result<BTreeMap<u32, String>, DatasetError> {
    let wrong = |reason: String| wrong(&meta.shown, reason);
    let fields = ["ILSVRC2012_ID", "WNID", "num_children"];
    let synsets = mat::structs(&meta.bytes, "synsets", fields)
        .map_err(|error| wrong(format!("{error}; use the {META} of {ARCHIVE}")))?;
    let mut classes = BTreeMap::new();
    for (index, synset) in synsets.into_iter().enumerate() {
        let [Value::Number(id), Value::Text(wnid), Value::Number(children)] = synset else {
            return Err(wrong(format!(
                "synset {} has no ILSVRC2012_ID, WNID or num_children of the right type",
                index + 1
            )));
        };
        if children != 0.0 {
            continue;
        }
        ClassName::new(&wnid)
            .map_err(|fault| wrong(format!("synset {} has an invalid WNID, {wnid:?}: {fault}", index + 1)))?;
        if id.fract() != 0.0 || !(1.0..=f64::from(u32::MAX)).contains(&id) {
            return Err(wrong(format!(
                "synset {} has the ILSVRC2012_ID {id}, which is not a whole number of at least 1",
                text::plain(&wnid)
            )));
        }
        if let Some(other) = classes.insert(id as u32, wnid.clone()) {
            return Err(wrong(format!(
                "{} and {} have the same ILSVRC2012_ID, {id}",
                text::plain(&other),
                text::plain(&wnid)
            )));
        }
    }
    Ok(classes)
}

/// The images' labels, in the order of the lines.
fn ground_truth(truth: &Text, labels: &BTreeMap<u32, u32>) -> Result<Vec<u32>, DatasetError> {
    let mut found = Vec::new();
    for (index, line) in truth.bytes.trim_ascii_end().split(|&byte| byte == b'\n').enumerate() {
        let line = String::from_utf8_lossy(line.trim_ascii());
        let label = line.parse().ok().and_then(|id: u32| labels.get(&id));
        let Some(&label) = label else {
            return Err(DatasetError::ListLine {
                file: truth.shown.clone(),
                line: index + 1,
                reason: format!(
                    "{line:?} is not the ILSVRC2012_ID of one of the {} classes of {META}",
                    labels.len()
                ),
            });
        };
        found.push(label);
    }
    Ok(found)
}

/// The two files needed. They come from the unpacked kit if it has both, else from the archive.
fn files(location: &str, folder: &Path) -> Result<[Text; 2], DatasetError> {
    let kit = folder.join(FOLDER);
    let unpacked = [META, TRUTH].map(|name| kit.join(name));
    let is_file = |path: &Path| files::is_file(path).map_err(DatasetError::unreadable(path));
    let [has_meta, has_truth] = [is_file(&unpacked[0])?, is_file(&unpacked[1])?];
    if has_meta && has_truth {
        let [meta, truth] = unpacked;
        return Ok([of_file(&meta)?, of_file(&truth)?]);
    }
    let archive = folder.join(ARCHIVE);
    if is_file(&archive)? {
        return of_archive(&archive);
    }
    let lacking = &unpacked[usize::from(has_meta)];
    let hint = if files::is_folder(&kit).map_err(DatasetError::unreadable(&kit))? {
        format!("neither {} nor {} exists", text::path(lacking), text::path(&archive))
    } else {
        format!(
            "no {}; download it from image-net.org, or unpack it to {}",
            text::path(&archive),
            text::path(&kit)
        )
    };
    Err(DatasetError::NotFound {
        location: location.to_owned(),
        hint,
    })
}

fn of_file(path: &Path) -> Result<Text, DatasetError> {
    let bytes = whole::read(path, MAX_BYTES).map_err(DatasetError::unreadable(path))?;
    let shown = text::path(path);
    Ok(Text { shown, bytes })
}

/// Reads the archive until both files have been found.
fn of_archive(path: &Path) -> Result<[Text; 2], DatasetError> {
    let unreadable = |source| DatasetError::unreadable(path)(source);
    let reader = GzDecoder::new(File::open(path).map_err(unreadable)?).take(MAX_ARCHIVE);
    let mut archive = ::tar::Archive::new(reader);
    let (mut meta, mut truth) = (None, None);
    for entry in archive.entries().map_err(unreadable)? {
        let mut entry = entry.map_err(unreadable)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let place = match name.trim_start_matches("./").strip_prefix(FOLDER) {
            Some(rest) if rest.trim_start_matches('/') == META => &mut meta,
            Some(rest) if rest.trim_start_matches('/') == TRUTH => &mut truth,
            _ => continue,
        };
        if entry.size() > MAX_BYTES {
            return Err(unreadable(whole::too_large(entry.size(), MAX_BYTES)));
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(unreadable)?;
        let shown = format!("{}, member {}", text::path(path), text::plain(&name));
        *place = Some(Text { shown, bytes });
        if meta.is_some() && truth.is_some() {
            break;
        }
    }
    match (meta, truth) {
        (Some(meta), Some(truth)) => Ok([meta, truth]),
        (meta, _) => {
            let lacking = if meta.is_none() { META } else { TRUTH };
            let reason = format!("contains no {FOLDER}/{lacking}; download it again from image-net.org");
            Err(wrong(&text::path(path), reason))
        }
    }
}
