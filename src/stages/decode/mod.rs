//! decode: decodes a sample to RGB, no more of it than the crop needs.
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

/// The settings of every decode worker.
#[derive(Clone)]
pub struct Decode {
    /// How every image is decoded.
    pub options: Options,
    /// Draws the region of the frame that is needed.
    pub rule: Rule,
    /// The source of the bytes.
    pub data: Sets,
    /// What happens at a bad image.
    pub on_bad_image: OnBadImage,
    /// Where bad images are copied to under the policy `quarantine`.
    pub quarantine: PathBuf,
}

/// A request for a part of a sample's frame.
pub trait Request: Send {
    /// Selects the set.
    fn phase(&self) -> Phase;
    /// Index in the set.
    fn sample(&self) -> u32;
    /// The region, given the frame's size and the index from which the sample's random numbers derive.
    fn region(&self, rule: &Rule, canonical: u32, frame: Frame) -> Region;
    /// Whether there is no sample behind the request.
    fn is_padding(&self) -> bool {
        false
    }
    /// Whether the receiver can read raw pixels from the data set itself.
    fn reads_in_place(&self, _rule: &Rule) -> bool {
        false
    }
    /// Called with the sample's bytes before they are decoded.
    fn see(&mut self, _encoded: Encoded<'_>) {}
    /// The size to which the region is scaled. By default it is not.
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
        // Pixels that are scaled must be copied anyway.
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

/// Whether bytes are known to be good. A pack's members were decoded as a whole when the pack was made, so those with the
/// checksum from back then are.
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
        // A pack has the checksums of its source.
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
        // Checked before the result is used: a shard that was truncated meanwhile reads as zeros.
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

    /// Checks that the crop fits into the frame.
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
            // The buffer grows to the largest region and keeps its memory, except that of a large image.
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

    /// Applies the policy: the reason that is sent on instead of pixels, or the end of the run.
    fn refuse(
        &self,
        phase: Phase,
        sample: usize,
        encoded: Encoded<'_>,
        error: &DecodeError,
    ) -> Result<Arc<str>, Fault> {
        let data = self.data.of(phase);
        // The two sets may have names in common.
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
