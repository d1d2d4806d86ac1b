//! encode: turns a frame's pixels into the bytes of a shard's member, and sums them up for the statistics.
//! upstream: decode · downstream: write

use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use crate::dataset::moments::Moments;
use crate::dataset::pack::{LARGEST_MEAN, Mode, PackError, Record};
use crate::dataset::{Dataset, JpegWriter};
use crate::flow::{Fault, Inlet, Outlet};
use crate::stages::frame::Frame;
use crate::stages::messages::Pixels;
use crate::stages::pack_source::PackTicket;

/// The settings of every encode worker.
#[derive(Clone)]
pub struct Encode {
    /// How images are stored.
    pub mode: Mode,
    /// Quality of the JPEGs.
    pub quality: u32,
    /// The names of samples come from here.
    pub data: Arc<Dataset>,
}

/// Makes records until the end of data.
pub fn run(
    encode: &Encode,
    pixels: &Inlet<Pixels<PackTicket>>,
    spare: Outlet<Vec<u8>>,
    records: Outlet<Record>,
) -> Result<(), Fault> {
    let writer = JpegWriter::new(encode.quality).map_err(|reason| failed("the JPEG writer", reason))?;
    let mut writer = writer.tiled();
    while let Some(item) = pixels.next()? {
        let (record, buffer) = encode.one(&mut writer, item)?;
        if let Some(buffer) = buffer {
            // decode may have ended already; then nobody needs the buffer.
            let _ = spare.send(buffer);
        }
        records.send(record)?;
    }
    records.finish();
    spare.finish();
    Ok(())
}

impl Encode {
    /// The record, and the pixel buffer unless the record keeps it for the mean image.
    fn one(&self, writer: &mut JpegWriter, item: Pixels<PackTicket>) -> Result<(Record, Option<Vec<u8>>), Fault> {
        let Pixels {
            ticket: PackTicket { mut record, .. },
            buffer,
            frame,
            checksum,
            refused,
            ..
        } = item;
        let span = tracing::trace_span!("encode", sample = %self.data.id(record.sample as usize));
        let _entered = span.enter();
        record.original = checksum;
        record.frame = (frame.width, frame.height);
        record.moments = Moments::default();
        record.refused = refused;
        if record.refused.is_some() {
            return Ok((record, buffer));
        }
        // There always is one: only the tickets of a run are read in place.
        let buffer = buffer.unwrap_or_default();
        record.moments.add(&buffer);
        record.extension = match self.mode {
            Mode::Jpeg => {
                let jpeg = writer.rgb(frame.width, frame.height, &buffer);
                let jpeg = jpeg.map_err(|reason| failed(self.data.id(record.sample as usize), reason))?;
                record.bytes.extend_from_slice(jpeg);
                "jpg"
            }
            Mode::Raw => {
                let head = format!("P6\n{} {}\n255\n", frame.width, frame.height);
                record.bytes.extend_from_slice(head.as_bytes());
                record.bytes.extend_from_slice(&buffer);
                "ppm"
            }
            Mode::Passthrough => extension(&record.bytes),
        };
        record.checksum = xxh3_64(&record.bytes);
        if has_mean(frame) {
            record.pixels = buffer;
            return Ok((record, None));
        }
        Ok((record, Some(buffer)))
    }
}

fn failed(sample: impl ToString, reason: String) -> Fault {
    Fault::failed(PackError::Encode {
        sample: sample.to_string(),
        reason,
    })
}

/// Whether a frame can be part of a mean image.
fn has_mean(frame: Frame) -> bool {
    frame.width == frame.height && frame.width <= LARGEST_MEAN
}

/// The extension for a file that was decoded, by its first bytes: names can be wrong.
fn extension(bytes: &[u8]) -> &'static str {
    match bytes {
        [0xff, 0xd8, ..] => "jpg",
        [b'P', ..] => "ppm",
        [b'B', b'M', ..] => "bmp",
        [b'G', b'I', b'F', ..] => "gif",
        [b'I', b'I', ..] | [b'M', b'M', ..] => "tiff",
        [b'R', b'I', b'F', b'F', ..] => "webp",
        _ => "png",
    }
}
