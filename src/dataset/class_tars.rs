//! A tar of class tars, `CLASS.tar` each, as ILSVRC distributes its training images: the inner tars are slices of the one
//! map, and are read in place too.

use std::collections::BTreeMap;

use super::DatasetError;
use super::classes::{is_hidden, is_image};
use super::listing::Listing;
use super::map::Mapping;
use super::tar::{Member, for_each_member_of, is_whole};

/// Tars are made of blocks of this many bytes.
const BLOCK: usize = 512;

/// The class whose images a member of this name holds, if it is a class tar.
pub(super) fn class(name: &str) -> Option<&str> {
    name.strip_suffix(".tar").filter(|class| !class.is_empty())
}

/// Lists the images of class tars, given where each begins and its length. Classes are sorted by the bytes of their names.
pub(super) fn list(
    shown: &str,
    map: &Mapping,
    tars: &BTreeMap<String, (u64, u64)>,
) -> Result<(Vec<String>, Listing), DatasetError> {
    let mut listing = Listing::default();
    for (label, (class, &(at, size))) in tars.iter().enumerate() {
        let inner = format!("{shown}, member {class}.tar");
        // Within the map: the outer tar's reader has checked every extent.
        let bytes = &map.bytes()[at as usize..(at + size) as usize];
        // A cut inside of the padding behind an image would otherwise pass for the end.
        if !bytes.len().is_multiple_of(BLOCK) {
            return Err(DatasetError::DamagedTar {
                shard: inner,
                reason: format!("it is cut short: its {size} bytes are no whole blocks of {BLOCK}"),
            });
        }
        for_each_member_of(&inner, bytes, at, &mut |member: Member<'_>| {
            if member.is_file && is_image(member.key) && !member.key.split('/').any(is_hidden) {
                listing.push(label as u32, member.key, member.size, member.modified, member.at);
            } else {
                listing.ignored += u64::from(!member.is_folder);
            }
            Ok(())
        })?;
    }
    is_whole(shown, map)?;
    Ok((tars.keys().cloned().collect(), listing))
}
