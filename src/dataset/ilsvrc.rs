//! ILSVRC 2012 as downloaded, without unpacking.
//!
//! `ilsvrc:DIR/train` is `DIR/ILSVRC2012_img_train.tar`, a tar of class tars. `ilsvrc:DIR/val` is
//! `DIR/ILSVRC2012_img_val.tar`, images without folders. Their labels are in the development kit: one number per line, in
//! the order of the images' names. Both use the WNIDs as classes, in sorted order, as torchvision and Caffe number them.
//! The kit's own numbers (ILSVRC2012_ID) have another order.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::DatasetError;
use super::classes::is_hidden;
use super::devkit::{self, Devkit};
use super::extension::is_image;
use super::listing::Listing;
use super::name::SampleName;
use super::tar;
use super::tar_set::{self, Form, Listed};
use crate::files;
use crate::text;

const TRAIN: &str = "ILSVRC2012_img_train.tar";
const VAL: &str = "ILSVRC2012_img_val.tar";

/// Lists a split.
pub(super) fn list(location: &str, folder: &Path, split: &str) -> Result<Listed, DatasetError> {
    match split {
        "train" => train(location, folder),
        "val" => val(location, folder),
        _ => Err(DatasetError::Split {
            location: location.to_owned(),
            split: split.to_owned(),
            choices: "ilsvrc:DIR/train or ilsvrc:DIR/val",
        }),
    }
}

/// One of the two tars, or an error that says what is expected.
fn find(location: &str, folder: &Path, name: &str, split: &str) -> Result<PathBuf, DatasetError> {
    let path = folder.join(name);
    if files::is_file(&path).map_err(DatasetError::unreadable(&path))? {
        return Ok(path);
    }
    let unpacked = folder.join(split);
    let instead = if files::is_folder(&unpacked).map_err(DatasetError::unreadable(&unpacked))? {
        format!(", or use the class folders in {}", text::path(&unpacked))
    } else {
        String::new()
    };
    Err(DatasetError::NotFound {
        location: location.to_owned(),
        hint: format!("no {}; download it from image-net.org{instead}", text::path(&path)),
    })
}

fn train(location: &str, folder: &Path) -> Result<Listed, DatasetError> {
    let path = find(location, folder, TRAIN, "train")?;
    let listed = tar_set::list(location, &path, "")?;
    let form = match listed.form {
        Form::ClassTars => Form::IlsvrcTrain,
        other => other,
    };
    Ok(Listed { form, ..listed })
}

fn val(location: &str, folder: &Path) -> Result<Listed, DatasetError> {
    let path = find(location, folder, VAL, "val")?;
    let Devkit { classes, labels, truth } = devkit::read(location, folder)?;
    let (map, members) = tar::open(&path)?;
    // Sorted by name. The later of two members with one name wins, as when the tar is unpacked.
    let mut images = BTreeMap::new();
    let mut listing = Listing::default();
    for member in members.iter().filter(|member| !member.is_folder) {
        let is_wanted = is_image(member.key) && !is_hidden(member.key) && !member.key.contains('/');
        match member.file()? {
            Some(extent) if is_wanted => {
                images.insert(member.key, (extent, member.modified));
            }
            _ => listing.ignore(None, member.key),
        }
    }
    if images.len() != labels.len() {
        let reason = format!(
            "has {} labels, one per line, but {} has {} images outside of folders; use the official files",
            labels.len(),
            text::path(&path),
            images.len()
        );
        return Err(DatasetError::Ilsvrc { file: truth, reason });
    }
    for ((&name, (extent, modified)), &label) in images.iter().zip(&labels) {
        let sample = SampleName::new(name).map_err(DatasetError::name(&text::path(&path), name))?;
        listing.push(label, sample, extent.size, *modified, extent.at);
    }
    Ok(Listed {
        classes,
        listing,
        map,
        form: Form::IlsvrcVal,
    })
}
