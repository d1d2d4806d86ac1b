//! ILSVRC 2012 as it is downloaded, nothing unpacked.
//!
//! `ilsvrc:DIR/train` is `DIR/ILSVRC2012_img_train.tar`, a tar of class tars. `ilsvrc:DIR/val` is
//! `DIR/ILSVRC2012_img_val.tar`, images without folders, whose labels the development kit has: a number a line, in the
//! order of the images' names. In both the classes are the WNIDs in sorted order, as torchvision and Caffe number them; the
//! kit's own numbers (ILSVRC2012_ID) are another order.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::DatasetError;
use super::classes::{check, is_hidden, is_image};
use super::devkit::{self, Devkit};
use super::listing::Listing;
use super::map::Mapping;
use super::tar::{self, Form, Listed, Member, for_each_member};

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

/// One of the two tars, or what is expected.
fn find(location: &str, folder: &Path, name: &str, split: &str) -> Result<PathBuf, DatasetError> {
    let path = folder.join(name);
    if path.is_file() {
        return Ok(path);
    }
    let unpacked = folder.join(split);
    let instead = if unpacked.is_dir() {
        format!("; class folders in {0} open as {0}", unpacked.display())
    } else {
        String::new()
    };
    Err(DatasetError::NotFound {
        location: location.to_owned(),
        hint: format!("no {}; download it from image-net.org{instead}", path.display()),
    })
}

fn train(location: &str, folder: &Path) -> Result<Listed, DatasetError> {
    let path = find(location, folder, TRAIN, "train")?;
    let listed = tar::list(location, &path, "")?;
    let form = match listed.form {
        Form::ClassTars => Form::IlsvrcTrain,
        other => other,
    };
    Ok(Listed { form, ..listed })
}

fn val(location: &str, folder: &Path) -> Result<Listed, DatasetError> {
    let path = find(location, folder, VAL, "val")?;
    let Devkit { classes, labels, truth } = devkit::read(location, folder)?;
    let shown = path.display().to_string();
    let map = Mapping::open(&path).map_err(|source| DatasetError::Unreadable {
        path: shown.clone(),
        source,
    })?;
    // By name, and the later of two of one name, as when the tar is unpacked.
    let mut images = BTreeMap::new();
    let mut listing = Listing::default();
    for_each_member(&shown, &map, &mut |member: Member<'_>| {
        if member.is_file && is_image(member.key) && !is_hidden(member.key) && !member.key.contains('/') {
            images.insert(member.key.to_owned(), (member.size, member.modified, member.at));
        } else {
            listing.ignored += u64::from(!member.is_folder);
        }
        Ok(())
    })?;
    if images.len() != labels.len() {
        let reason = format!(
            "has {} lines, a label an image, but {shown} holds {} images outside of folders; both must be the official \
             files",
            labels.len(),
            images.len()
        );
        return Err(DatasetError::Ilsvrc { file: truth, reason });
    }
    for ((name, &(size, modified, at)), &label) in images.iter().zip(&labels) {
        listing.push(label, name, size, modified, at);
    }
    check(location, &classes, &listing, 0)?;
    Ok(Listed {
        classes,
        listing,
        map,
        form: Form::IlsvrcVal,
    })
}
