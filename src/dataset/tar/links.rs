//! Follows links in a tar to the bytes that they would have after unpacking.
//!
//! A hard link is another name of an earlier member. A symbolic link leads from its own folder to a name in the unpacked tree,
//! possibly through other links. Links that lead out of the tar are refused, and so are links to folders, because their
//! contents would be there twice.

use super::members::{Extent, Members, What};
use crate::dataset::DatasetError;
use crate::dataset::name::plain_parts;
use crate::text::plain;

/// The most links on the way to one file: Linux's limit.
const MOST: usize = 40;

/// Why a link cannot be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum LinkFault {
    #[error("which is not in the tar; recreate the tar with --dereference --hard-dereference")]
    Dangling,
    #[error("which is not an earlier member, as the target of a hard link must be; recreate the tar")]
    Later,
    #[error("which is outside of the tar; recreate the tar with --dereference")]
    Outside,
    #[error("which is a folder; links to folders are not followed in a tar; recreate the tar with --dereference")]
    Folder,
    #[error("in a chain of links that is circular or longer than 40; remove it")]
    Loop,
    #[error("which is neither a file nor a folder; remove it")]
    NoFile,
}

/// What a name stands for, after following hard links.
enum Found<'a> {
    File(Extent),
    Folder,
    /// The target.
    Symlink(&'a str),
    Other,
}

impl Members {
    /// The contents of the link in a row.
    pub(super) fn follow(&self, row: usize) -> Result<Extent, DatasetError> {
        self.contents(row).map_err(|fault| {
            let (What::HardLink(target) | What::Symlink(target)) = self.rows[row].what else {
                // Only links are followed.
                return DatasetError::DamagedTar {
                    shard: self.shown.clone(),
                    reason: fault.to_string(),
                };
            };
            DatasetError::Link {
                shard: self.shown.clone(),
                key: self.name(row).to_owned(),
                reason: format!("{}, {fault}", plain(self.get(target))),
            }
        })
    }

    fn contents(&self, row: usize) -> Result<Extent, LinkFault> {
        let mut left = MOST;
        match self.of_row(row, &mut left)? {
            Found::File(extent) => Ok(extent),
            Found::Folder => Err(LinkFault::Folder),
            Found::Other => Err(LinkFault::NoFile),
            Found::Symlink(target) => {
                let folder = self.name(row).rsplit_once('/').map_or("", |(folder, _)| folder);
                self.walk(folder, target, &mut left)
            }
        }
    }

    /// Follows a path from a folder, through the links on the way.
    fn walk<'a>(&'a self, folder: &'a str, path: &'a str, left: &mut usize) -> Result<Extent, LinkFault> {
        let mut done: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
        let mut todo: Vec<&str> = Vec::new();
        let push = |todo: &mut Vec<&'a str>, path: &'a str| {
            if path.starts_with('/') {
                return Err(LinkFault::Outside);
            }
            todo.extend(path.split('/').rev());
            Ok(())
        };
        push(&mut todo, path)?;
        let mut found = Found::Folder;
        while let Some(part) = todo.pop() {
            match part {
                "" | "." => continue,
                ".." => {
                    done.pop().ok_or(LinkFault::Outside)?;
                    found = Found::Folder;
                    continue;
                }
                part => done.push(part),
            }
            found = self.of_name(&done.join("/"), left)?;
            if let Found::Symlink(target) = found {
                spend(left)?;
                done.pop();
                push(&mut todo, target)?;
                found = Found::Folder;
            }
        }
        match found {
            Found::File(extent) => Ok(extent),
            Found::Folder => Err(LinkFault::Folder),
            Found::Symlink(_) | Found::Other => Err(LinkFault::NoFile),
        }
    }

    /// What a name stands for when the whole tar is unpacked.
    fn of_name(&self, name: &str, left: &mut usize) -> Result<Found<'_>, LinkFault> {
        match self.row_before(name, self.rows.len()) {
            Some(row) => self.of_row(row, left),
            // A folder needs no member of its own.
            None if self.holds(name) => Ok(Found::Folder),
            None => Err(LinkFault::Dangling),
        }
    }

    fn of_row(&self, mut row: usize, left: &mut usize) -> Result<Found<'_>, LinkFault> {
        loop {
            return Ok(match self.rows[row].what {
                What::File(extent) => Found::File(extent),
                What::Folder => Found::Folder,
                What::Symlink(target) => Found::Symlink(self.get(target)),
                What::Other => Found::Other,
                What::HardLink(target) => {
                    spend(left)?;
                    row = self.linked(self.get(target), row)?;
                    continue;
                }
            });
        }
    }

    /// The earlier member that the hard link in `row` is another name of.
    fn linked(&self, target: &str, row: usize) -> Result<usize, LinkFault> {
        if target.starts_with('/') || target.split('/').any(|part| part == "..") {
            return Err(LinkFault::Outside);
        }
        let name = plain_parts(target);
        self.row_before(&name, row).ok_or_else(|| {
            let is_there = self.row_before(&name, self.rows.len()).is_some();
            if is_there {
                LinkFault::Later
            } else {
                LinkFault::Dangling
            }
        })
    }

    /// The last row before `end` with this name.
    fn row_before(&self, name: &str, end: usize) -> Option<usize> {
        let at = self
            .by_name
            .partition_point(|&row| (self.name(row as usize), row as usize) < (name, end));
        let row = *self.by_name.get(at.checked_sub(1)?)? as usize;
        (self.name(row) == name).then_some(row)
    }

    /// Whether a member lies below a name.
    fn holds(&self, name: &str) -> bool {
        let below = format!("{name}/");
        let at = self
            .by_name
            .partition_point(|&row| self.name(row as usize) < below.as_str());
        let first = self.by_name.get(at).map(|&row| self.name(row as usize));
        first.is_some_and(|first| first.starts_with(&below))
    }
}

/// Counts a link.
fn spend(left: &mut usize) -> Result<(), LinkFault> {
    *left = left.checked_sub(1).ok_or(LinkFault::Loop)?;
    Ok(())
}
