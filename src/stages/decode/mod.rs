//! decode: from encoded bytes to RGB of just the crop.
//! upstream: source · downstream: augment (or measure)

use std::path::PathBuf;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use crate::config::run::OnBadImage;
use crate::dataset::Encoded;
use crate::flow::{Fault, Inlet, Outlet};
use crate::stages::Sets;
use crate::stages::augment::Rule;
use crate::stages::passage::{Part, Pixels, Ticket};

mod bad;
mod cmyk;
mod decoder;
mod error;
mod exif;
mod fallback;
mod frame;
mod jpeg;
mod resize;
mod sniff;

pub use bad::BadImage;
pub use decoder::{Decoder, Options};
pub use error::DecodeError;
pub use frame::{Frame, Region};

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
    fn part(&self) -> Part;
    /// Canonical index in it.
    fn sample(&self) -> u32;
    /// Which region, given the frame's size.
    fn region(&self, rule: &Rule, frame: Frame) -> Region;
}

impl Request for Ticket {
    fn part(&self) -> Part {
        self.part
    }
    fn sample(&self) -> u32 {
        self.sample
    }
    fn region(&self, rule: &Rule, frame: Frame) -> Region {
        match self.part {
            Part::Train => rule.draw(self.epoch, self.sample, frame).region,
            Part::Evaluate => rule.region_of_views(frame),
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
        let Some(buffer) = pool.next()? else {
            return Err(Fault::Aborted);
        };
        pixels.send(decode.one(&mut decoder, &mut scratch, request, buffer)?)?;
    }
    pixels.finish();
    Ok(())
}

impl Decode {
    fn one<T: Request>(
        &self,
        decoder: &mut Decoder,
        scratch: &mut Vec<u8>,
        ticket: T,
        mut buffer: Vec<u8>,
    ) -> Result<Pixels<T>, Fault> {
        let data = self.data.of(ticket.part());
        let sample = ticket.sample() as usize;
        let span = tracing::trace_span!("decode", sample = %data.id(sample));
        let _entered = span.enter();
        let encoded = data.read(sample, scratch).map_err(Fault::failed)?;
        let checksum = xxh3_64(match encoded {
            Encoded::File(bytes) | Encoded::Grey { pixels: bytes, .. } | Encoded::Rgb { pixels: bytes, .. } => bytes,
        });
        let decoded = self.region(decoder, encoded, &ticket, &mut buffer);
        // Before anything is believed of the bytes: a shard that was cut short meanwhile reads as zeros.
        data.verify(sample).map_err(Fault::failed)?;
        let (frame, region, refused) = match decoded {
            Ok((frame, region)) => (frame, region, None),
            Err(error) => {
                let nothing = Frame { width: 0, height: 0 };
                let reason = self.refuse(ticket.part(), sample, encoded, &error)?;
                (nothing, Region::whole(nothing), Some(reason))
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

    fn region<T: Request>(
        &self,
        decoder: &mut Decoder,
        encoded: Encoded<'_>,
        ticket: &T,
        buffer: &mut Vec<u8>,
    ) -> Result<(Frame, Region), DecodeError> {
        let frame = decoder.open(encoded)?;
        let crop = self.rule.crop;
        if frame.width < crop || frame.height < crop {
            return Err(DecodeError::SmallerThanCrop {
                width: frame.width,
                height: frame.height,
                crop,
            });
        }
        let region = ticket.region(&self.rule, frame);
        // Grows to the largest region once and keeps its memory.
        buffer.resize(region.bytes(), 0);
        decoder.pixels(encoded, region, buffer)?;
        Ok((frame, region))
    }

    /// Applies the policy: the reason to travel on with, or the end of the run.
    fn refuse(&self, part: Part, sample: usize, encoded: Encoded<'_>, error: &DecodeError) -> Result<Arc<str>, Fault> {
        let data = self.data.of(part);
        // Names may be the same in both sets.
        let set = if part == Part::Train { "train" } else { "val" };
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
