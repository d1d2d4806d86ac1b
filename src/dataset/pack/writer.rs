//! Writes a pack shard by shard, so that it can be killed at any moment and resumed.
//!
//! Work in progress is in `DIR/.partial`. A shard is finished when its record is stored there and its tar has been renamed
//! into `DIR`, which is the last step. A resumed pack keeps the finished shards up to the first gap and writes the rest
//! again. The manifest is renamed into `DIR` at the very end: if it exists, the pack is complete.
//!
//! If all images of a shard were left out, only its record is stored. It gets no files, because other readers refuse an
//! index without samples, and no line in the manifest. Its number stays unused.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use super::durable::{remove_file, remove_folder, rename, sync_folder, write_synced, write_whole};
use super::lines::Sum;
use super::manifest::Class;
use super::shard::{Image, ShardWriter, is_whole};
use super::tally::Tally;
use super::{Keys, MANIFEST, Manifest, PackError, Record, STATISTICS, Settings, Shard, Skipped};
use crate::checksum::{self, digits};
use crate::dataset::{Dataset, lies_in, whole};
use crate::files;
use crate::text;

/// The folder of a pack being written.
pub(in crate::dataset) const PARTIAL: &str = ".partial";

/// The limit on the file of settings, which has some 600 bytes.
const MAX_SETTINGS: u64 = 1 << 20;

/// A pack being written.
pub struct PackWriter {
    folder: PathBuf,
    data: Arc<Dataset>,
    keys: Keys,
    settings: Settings,
    finished: Vec<Shard>,
    total: Tally,
    shard: Option<ShardWriter>,
    current: Tally,
    /// The next position.
    next: u32,
    /// Held open: the lock ends with the file descriptor, however the process ends.
    _lock: File,
}

/// The state of the folder for a pack.
pub enum Begun {
    /// A complete pack that was to be resumed.
    Finished(Box<Manifest>),
    /// A pack to be written, from its first position or from where it was interrupted.
    Under(Box<PackWriter>),
}

impl PackWriter {
    /// Begins a pack of `data` in `folder`, or resumes one.
    pub fn begin(folder: &Path, data: Arc<Dataset>, settings: Settings, resume: bool) -> Result<Begun, PackError> {
        let out = || text::path(folder);
        if lies_in(folder, Path::new(data.location())) {
            return Err(PackError::InsideSource {
                out: out(),
                source_location: data.location().to_owned(),
            });
        }
        let partial = folder.join(PARTIAL);
        let kept = partial.join("settings.json");
        let manifest = folder.join(MANIFEST);
        let exists = |path: &Path| files::exists(path).map_err(PackError::read(path));
        if !exists(&manifest)? {
            let is_begun = exists(&kept)?;
            if is_begun && !resume {
                return Err(PackError::Unfinished { out: out() });
            }
            if !is_begun && holds_others(folder)? {
                return Err(PackError::NotEmpty { out: out() });
            }
            crate::durable::create_folder(&partial).map_err(PackError::write(&partial))?;
        } else if !resume {
            return Err(PackError::Finished { out: out() });
        }
        // Only the lock makes this reliable: another process may just have ended. In a finished pack there is nothing to
        // lock except leftovers from its last moments.
        let lock = lock(folder, &partial)?;
        if exists(&manifest)? {
            if !resume {
                return Err(PackError::Finished { out: out() });
            }
            let found = Manifest::read(folder)?;
            same(folder, &found.settings, &settings)?;
            remove_folder(&partial)?;
            return Ok(Begun::Finished(Box::new(found)));
        }
        let Some(lock) = lock else {
            return Err(PackError::Locked { out: out() });
        };
        agree_on(folder, &kept, &settings)?;
        let classes = data.classes().len();
        let mut writer = Self {
            folder: folder.to_owned(),
            keys: Keys::new(&data),
            data,
            settings,
            finished: Vec::new(),
            total: Tally::new(classes),
            shard: None,
            current: Tally::new(classes),
            next: 0,
            _lock: lock,
        };
        writer.take_up()?;
        Ok(Begun::Under(Box::new(writer)))
    }

    /// Finds the finished shards up to the first gap, and removes the stored counts of the others.
    fn take_up(&mut self) -> Result<(), PackError> {
        let partial = self.partial();
        let classes = self.total.classes.len();
        for number in 0..self.settings.shards() {
            let is_there = |shard: &Shard| Ok(shard.samples == 0 || is_whole(&self.folder, shard)?);
            let kept = Tally::kept(&partial, &self.settings.stem(number), classes, is_there)?;
            let Some((shard, tally)) = kept else { break };
            self.finished.push(shard);
            self.total.merge(tally);
        }
        for number in self.finished.len() as u32..self.settings.shards() {
            Tally::forget(&partial, &self.settings.stem(number))?;
        }
        sync_folder(&partial)?;
        let done = u64::from(self.settings.per_shard) * self.finished.len() as u64;
        self.next = done.min(u64::from(self.settings.source.samples)) as u32;
        Ok(())
    }

    fn partial(&self) -> PathBuf {
        self.folder.join(PARTIAL)
    }

    /// The first position to be written.
    pub fn next(&self) -> u32 {
        self.next
    }

    /// The number of finished shards.
    pub fn finished(&self) -> usize {
        self.finished.len()
    }

    /// The number of images left out so far.
    pub fn skipped(&self) -> u64 {
        (self.total.skipped.len() + self.current.skipped.len()) as u64
    }

    /// The source.
    pub fn data(&self) -> &Dataset {
        &self.data
    }

    /// Writes the sample of the next position, or records that it is left out.
    pub fn write(&mut self, record: &Record) -> Result<(), PackError> {
        debug_assert_eq!(record.position, self.next, "the caller puts them in order");
        let number = record.position / self.settings.per_shard;
        let shard = match &mut self.shard {
            Some(shard) => shard,
            none => none.insert(ShardWriter::create(
                &self.folder.join(PARTIAL),
                self.settings.stem(number),
            )?),
        };
        let sample = record.sample as usize;
        let (id, label) = (self.data.id(sample), self.data.label(sample));
        if let Some(reason) = &record.refused {
            self.current.skipped.push(Skipped {
                index: self.data.canonical(sample),
                sample: id.raw(),
                class: id.class().to_owned(),
                reason: reason.to_string(),
            });
        } else {
            let sum = Sum {
                member: record.checksum,
                original: record.original,
                index: self.data.canonical(sample),
                label,
                key: self.keys.key(&self.data, sample),
                id: id.raw(),
            };
            shard.append(&Image {
                bytes: &record.bytes,
                extension: record.extension,
                sum,
            })?;
            self.current.add(label, record);
        }
        self.next += 1;
        if self.next.is_multiple_of(self.settings.per_shard) || self.next == self.settings.source.samples {
            self.finish_shard(number)?;
        }
        Ok(())
    }

    fn finish_shard(&mut self, number: u32) -> Result<(), PackError> {
        let Some(shard) = self.shard.take() else { return Ok(()) };
        let (partial, stem) = (self.partial(), self.settings.stem(number));
        let shard = shard.finish()?;
        self.current.keep(&partial, &stem, &shard)?;
        for extension in ["idx", "sums", "tar"] {
            let name = format!("{stem}.{extension}");
            if shard.samples > 0 {
                rename(&partial.join(&name), &self.folder.join(&name))?;
            } else {
                // From an earlier attempt, when the shard still had a good image.
                remove_file(&self.folder.join(&name))?;
            }
        }
        sync_folder(&self.folder)?;
        self.finished.push(shard);
        let tally = std::mem::replace(&mut self.current, Tally::new(self.total.classes.len()));
        self.total.merge(tally);
        Ok(())
    }

    /// Whether every position has been written.
    pub fn is_complete(&self) -> bool {
        self.next == self.settings.source.samples
    }

    /// Writes statistics and manifest, once every position has been written.
    pub fn finish(self) -> Result<Manifest, PackError> {
        let (partial, source) = (self.partial(), &self.settings.source);
        let skipped = self.total.skipped.len() as u64;
        let mean_image = self.total.mean_image();
        let square_side = mean_image.as_ref().map(|image| image.side);
        let Some(statistics) = self.total.moments.statistics(skipped, mean_image) else {
            return Err(PackError::NothingLeft {
                source_location: source.location.clone(),
                skipped,
            });
        };
        let made = partial.join(STATISTICS);
        let bytes = statistics.to_bytes().map_err(PackError::write(&made))?;
        write_synced(&made, &bytes)?;
        rename(&made, &self.folder.join(STATISTICS))?;
        let mut skipped = self.total.skipped;
        skipped.sort_by_key(|skipped| skipped.index);
        let names = self.data.classes().iter();
        let classes = names.zip(&self.total.classes).map(|(name, &samples)| Class {
            name: name.clone(),
            samples,
        });
        let manifest = Manifest {
            samples: self.total.classes.iter().sum(),
            square_side,
            classes: classes.collect(),
            skipped,
            shards: self.finished.into_iter().filter(|shard| shard.samples > 0).collect(),
            stats_xxh3: digits(xxh3_64(&bytes)),
            settings: self.settings,
        };
        let made = partial.join(MANIFEST);
        let text = manifest.text().map_err(PackError::write(&made))?;
        write_synced(&made, &text)?;
        sync_folder(&self.folder)?;
        rename(&made, &self.folder.join(MANIFEST))?;
        sync_folder(&self.folder)?;
        remove_folder(&partial)?;
        Ok(manifest)
    }
}

/// Compares the settings with those that the interrupted pack has kept, or keeps them for a pack that begins.
fn agree_on(folder: &Path, kept: &Path, settings: &Settings) -> Result<(), PackError> {
    match whole::read(kept, MAX_SETTINGS) {
        Ok(text) => {
            let there = checksum::from_json(&text).map_err(|reason| PackError::damaged(kept, reason))?;
            same(folder, &there, settings)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let text = checksum::to_json(settings).map_err(PackError::write(kept))?;
            write_whole(kept, &text)
        }
        Err(error) => Err(PackError::read(kept)(error)),
    }
}

/// Whether a folder holds anything but the beginnings of a pack.
fn holds_others(folder: &Path) -> Result<bool, PackError> {
    match fs::read_dir(folder) {
        Ok(entries) => {
            for entry in entries {
                if entry.map_err(PackError::read(folder))?.file_name() != PARTIAL {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(PackError::write(folder)(error)),
    }
}

/// Locks out other processes; `None` if the folder to lock in no longer exists.
fn lock(folder: &Path, partial: &Path) -> Result<Option<File>, PackError> {
    let path = partial.join("lock");
    let lock = match File::options().create(true).append(true).open(&path) {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(PackError::write(&path)(error)),
    };
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(fs::TryLockError::WouldBlock) => Err(PackError::Locked {
            out: text::path(folder),
        }),
        Err(fs::TryLockError::Error(error)) => Err(PackError::write(&path)(error)),
    }
}

fn same(folder: &Path, there: &Settings, here: &Settings) -> Result<(), PackError> {
    let differences = there.differences(here);
    if differences.is_empty() {
        return Ok(());
    }
    Err(PackError::SettingsDiffer {
        out: text::path(folder),
        differences,
    })
}
