//! decode: from encoded bytes to RGB of just the crop.
//! upstream: source · downstream: augment (or measure)

use std::path::PathBuf;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use crate::config::run::OnBadImage;
use crate::dataset::Encoded;
use crate::flow::{Fault, Inlet, Outlet};
use crate::stages::Sets;
use crate::stages::messages::{Phase, Pixels, Ticket};
use crate::stages::rule::Rule;

mod bad;
mod decoder;
mod error;
mod exif;
mod geometry;
mod jpeg;
mod large;
mod opened;
mod options;
mod other;
mod png;
mod ppm;
mod raw;
mod resize;
mod sniff;

pub use bad::BadImage;
pub use decoder::{Choice, Decoder};
pub use error::DecodeError;
pub use options::{LARGE, Options, Trust};
pub use raw::Raw;

pub use crate::stages::frame::{Frame, Region};

/// What every decode worker knows.
#[derive(Clone)]
pub struct Decode {
    /// What is done to every image.
    pub options: Options,
    /// Says which region of the frame is needed.
    pub rule: Rule,
    /// Where the bytes are.
    pub data: Sets,
    /// What a bad image does.
    pub on_bad_image: OnBadImage,
    /// Where bad images are copied under `quarantine`.
    pub quarantine: PathBuf,
}

/// Somebody who wants a part of a sample's frame.
pub trait Request: Send {
    /// Which set.
    fn phase(&self) -> Phase;
    /// Index in it.
    fn sample(&self) -> u32;
    /// Which region, given the frame's size and the number from which the sample's random numbers derive.
    fn region(&self, rule: &Rule, canonical: u32, frame: Frame) -> Region;
    /// Whether nothing is wanted.
    fn is_padding(&self) -> bool {
        false
    }
    /// Whether whoever gets the pixels can read them out of the data set, where they are stored as pixels.
    fn reads_in_place(&self, _rule: &Rule) -> bool {
        false
    }
    /// Sees the sample's bytes before they are decoded.
    fn see(&mut self, _encoded: Encoded<'_>) {}
    /// To which size that region is scaled: by itself to none.
    fn size(&self, _rule: &Rule, region: Region) -> (u32, u32) {
        (region.width, region.height)
    }
}

impl Request for Ticket {
    fn phase(&self) -> Phase {
        self.phase
    }
    fn sample(&self) -> u32 {
        self.sample
    }
    fn region(&self, rule: &Rule, canonical: u32, frame: Frame) -> Region {
        match self.phase {
            Phase::Train => rule.draw(self.epoch, canonical, frame).region,
            Phase::Evaluate => rule.region_of_views(frame),
        }
    }
    fn is_padding(&self) -> bool {
        self.is_padding
    }
    fn reads_in_place(&self, rule: &Rule) -> bool {
        // What is to be scaled must be copied anyway.
        self.phase == Phase::Evaluate || rule.resized.is_none()
    }
    fn size(&self, rule: &Rule, region: Region) -> (u32, u32) {
        match self.phase {
            Phase::Train => (rule.crop, rule.crop),
            Phase::Evaluate => (region.width, region.height),
        }
    }
}

/// Decodes for every request until the end of data. `pool` holds the buffers that `pixels` travel in.
pub fn run<T: Request>(
    decode: &Decode,
    requests: &Inlet<T>,
    pool: &Inlet<Vec<u8>>,
    pixels: Outlet<Pixels<T>>,
) -> Result<(), Fault> {
    let mut decoder = Decoder::new(decode.options).map_err(Fault::failed)?;
    let mut scratch = Vec::new();
    while let Some(request) = requests.next()? {
        pixels.send(decode.one(&mut decoder, &mut scratch, request, pool)?)?;
    }
    pixels.finish();
    Ok(())
}

/// Whether bytes are known to be good: those of a pack's member are if they have the sum that they were written with, for what
/// a pack holds was decoded whole when it was made.
fn judge(bytes: &[u8], sum: Option<u64>) -> Result<Trust, DecodeError> {
    match sum {
        None => Ok(Trust::Unknown),
        Some(sum) if xxh3_64(bytes) == sum => Ok(Trust::Verified),
        Some(_) => Err(DecodeError::NotAsPacked),
    }
}

impl Decode {
    fn one<T: Request>(
        &self,
        decoder: &mut Decoder,
        scratch: &mut Vec<u8>,
        mut ticket: T,
        pool: &Inlet<Vec<u8>>,
    ) -> Result<Pixels<T>, Fault> {
        if ticket.is_padding() {
            return Ok(Pixels::nothing(ticket));
        }
        let data = self.data.of(ticket.phase());
        let sample = ticket.sample() as usize;
        let span = tracing::trace_span!("decode", sample = %data.id(sample));
        let _entered = span.enter();
        let raw = Raw::find(data, sample).map_err(Fault::failed)?;
        let stored = match &raw {
            Some(raw) => raw.stored(),
            None => data.read(sample, scratch).map_err(Fault::failed)?,
        };
        ticket.see(stored);
        // A pack knows the hash of what it was made of.
        let checksum = data.checksum(sample).unwrap_or_else(|| xxh3_64(stored.bytes()));
        let mut buffer = None;
        let in_place = raw.filter(|raw| ticket.reads_in_place(&self.rule) && decoder.keeps(raw.frame()));
        let decoded = if let Some(raw) = in_place {
            let frame = raw.frame();
            self.fits(&ticket, frame).map(|()| (frame, Region::whole(frame)))
        } else {
            let buffer = buffer.insert(pool.next()?.ok_or(Fault::Aborted)?);
            judge(stored.bytes(), data.member_checksum(sample)).and_then(|trust| {
                let image = raw.map_or(Ok(stored), |raw| raw.image())?;
                self.region(decoder, image, trust, &ticket, buffer)
            })
        };
        // Before anything is believed of the bytes: a shard that was cut short meanwhile reads as zeros.
        data.verify(sample).map_err(Fault::failed)?;
        let (frame, region, refused) = match decoded {
            Ok((frame, region)) => (frame, region, None),
            Err(error) => {
                let reason = self.refuse(ticket.phase(), sample, stored, &error)?;
                (Frame::EMPTY, Region::whole(Frame::EMPTY), Some(reason))
            }
        };
        Ok(Pixels {
            ticket,
            buffer,
            frame,
            region,
            checksum,
            refused,
        })
    }

    /// Whether the crop fits into the frame.
    fn fits<T: Request>(&self, ticket: &T, frame: Frame) -> Result<(), DecodeError> {
        let crop = self.rule.smallest_frame(ticket.phase());
        if frame.width < crop || frame.height < crop {
            return Err(DecodeError::SmallerThanCrop {
                width: frame.width,
                height: frame.height,
                crop,
            });
        }
        Ok(())
    }

    fn region<T: Request>(
        &self,
        decoder: &mut Decoder,
        encoded: Encoded<'_>,
        trust: Trust,
        ticket: &T,
        buffer: &mut Vec<u8>,
    ) -> Result<(Frame, Region), DecodeError> {
        let nothing = Frame { width: 0, height: 0 };
        let mut chosen = (nothing, Region::whole(nothing));
        decoder.choose(encoded, trust, |frame| {
            self.fits(ticket, frame)?;
            let canonical = self.data.of(ticket.phase()).canonical(ticket.sample() as usize);
            let region = ticket.region(&self.rule, canonical, frame);
            let (width, height) = ticket.size(&self.rule, region);
            let scaled = Region {
                width,
                height,
                ..region
            };
            // Grows to the largest region once and keeps its memory, but not that of a large image.
            if buffer.capacity() as u64 > self.options.large {
                *buffer = Vec::new();
            }
            buffer.resize(scaled.bytes(), 0);
            chosen = (frame, scaled);
            Ok(Choice {
                region,
                size: (width, height),
                out: buffer,
            })
        })?;
        Ok(chosen)
    }

    /// Applies the policy: the reason to travel on with, or the end of the run.
    fn refuse(
        &self,
        phase: Phase,
        sample: usize,
        encoded: Encoded<'_>,
        error: &DecodeError,
    ) -> Result<Arc<str>, Fault> {
        let data = self.data.of(phase);
        // Names may be the same in both sets.
        let set = if phase == Phase::Train { "train" } else { "val" };
        match self.on_bad_image {
            OnBadImage::Fail => return Err(Fault::failed(BadImage::new(data, sample, error))),
            OnBadImage::Quarantine => {
                bad::quarantine(&self.quarantine.join(set), data, sample, encoded).map_err(Fault::failed)?;
            }
            OnBadImage::Skip => {}
        }
        Ok(error.to_string().into())
    }
}
