//! write: records into shards, in the order of their positions.
//! upstream: encode · downstream: the disk; records go home to the source
//!
//! Invariant: at most N − 1 records wait here, see `pack_source.rs`.

use std::sync::Arc;

use crate::dataset::pack::{PackError, PackWriter, Record};
use crate::flow::{Fault, Inlet, Outlet};

/// Hears of every sample that is done with; of its id and the reason where it is left out.
pub type OnWritten = Arc<dyn Fn(Option<(&str, &str)>) + Send + Sync>;

/// What the writer knows.
pub struct Write {
    /// The pack.
    pub writer: PackWriter,
    /// How many bad images may be left out; `None`: none, the first ends the pack.
    pub bad_images_max: Option<u64>,
    /// How many records there are.
    pub records: usize,
    /// Hears of what is done.
    pub on_written: OnWritten,
}

/// Writes until the end of data, and ends the pack where all of it was written.
///
/// Images are judged in the order of their positions, so that of several bad ones always the same is named.
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
            // So may the source.
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

/// Tells of a sample, and ends the pack at one bad image too many.
fn judge(writer: &PackWriter, most: Option<u64>, record: &Record, on_written: &OnWritten) -> Result<(), Fault> {
    let Some(reason) = &record.refused else {
        on_written(None);
        return Ok(());
    };
    let (data, sample) = (writer.data(), record.sample as usize);
    let (id, reason) = (data.id(sample).to_string(), reason.to_string());
    let Some(most) = most else {
        let place = data.where_is(sample);
        return Err(Fault::failed(PackError::BadImage {
            sample: id,
            reason,
            place,
        }));
    };
    on_written(Some((&id, &reason)));
    if writer.skipped() > most {
        return Err(Fault::failed(PackError::TooManyBad {
            most,
            sample: id,
            reason,
        }));
    }
    Ok(())
}
