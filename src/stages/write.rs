//! write: writes records into shards, in the order of their positions.
//! upstream: encode · downstream: the disk; records return to the source
//!
//! Invariant: at most N − 1 records wait here, see `pack_source.rs`.

use std::sync::Arc;

use crate::dataset::pack::{PackError, PackWriter, Record};
use crate::flow::{Fault, Inlet, Outlet};

/// Called for every finished sample; with its id and the reason if it was left out.
pub type OnWritten = Arc<dyn Fn(Option<(&str, &str)>) + Send + Sync>;

/// The settings of the writer.
pub struct Write {
    /// The pack.
    pub writer: PackWriter,
    /// How many bad images may be left out; `None`: the first ends the pack.
    pub bad_images_max: Option<u64>,
    /// Number of records in the flow.
    pub records: usize,
    /// Called for every finished sample.
    pub on_written: OnWritten,
}

/// Writes until the end of data. Finishes the pack if all of it was written.
///
/// Images are judged in the order of their positions, so that the same bad image is reported every time.
pub fn run(write: Write, records: &Inlet<Record>, home: Outlet<Record>, spare: Outlet<Vec<u8>>) -> Result<(), Fault> {
    let Write {
        mut writer,
        bad_images_max,
        records: count,
        on_written,
    } = write;
    let mut waiting: Vec<Option<Record>> = (0..count).map(|_| None).collect();
    while let Some(record) = records.next()? {
        let place = record.position as usize % count;
        waiting[place] = Some(record);
        while let Some(mut record) = waiting[writer.next() as usize % count].take() {
            let span = tracing::trace_span!("write", position = record.position);
            let _entered = span.enter();
            writer.write(&record).map_err(Fault::failed)?;
            judge(&writer, bad_images_max, &record, &on_written)?;
            let pixels = std::mem::take(&mut record.pixels);
            if pixels.capacity() > 0 {
                // decode may have ended already; then nobody needs the buffer.
                let _ = spare.send(pixels);
            }
            // The same holds for the source.
            let _ = home.send(record);
        }
    }
    home.finish();
    spare.finish();
    if writer.is_complete() {
        writer.finish().map_err(Fault::failed)?;
    }
    Ok(())
}

/// Reports a sample, and ends the pack if there are too many bad images.
fn judge(writer: &PackWriter, max: Option<u64>, record: &Record, on_written: &OnWritten) -> Result<(), Fault> {
    let Some(reason) = &record.refused else {
        on_written(None);
        return Ok(());
    };
    let (data, sample) = (writer.data(), record.sample as usize);
    let (id, reason) = (data.id(sample).to_string(), reason.to_string());
    let Some(max) = max else {
        let place = data.where_is(sample);
        return Err(Fault::failed(PackError::BadImage {
            sample: id,
            reason,
            place,
        }));
    };
    on_written(Some((&id, &reason)));
    if writer.skipped() > max {
        return Err(Fault::failed(PackError::TooManyBad {
            max,
            sample: id,
            reason,
        }));
    }
    Ok(())
}
