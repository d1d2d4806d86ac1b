//! The flow of `pack`, in the data's order.
//!
//! ```text
//! source ─ticket▶ decode ─pixels▶ encode ─record▶ write ─▶ shards
//!    ▲               ▲────buffer────┴───────────────┤
//!    └──────────────────────home────────────────────┘
//! ```

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use super::decoding::Decoding;
use super::{Flow, Topology, Waits, fill};
use crate::config::run::OnBadImage;
use crate::dataset::Dataset;
use crate::dataset::pack::{Mode, PackWriter, Record, Settings};
use crate::flow::{Role, Stop, channel};
use crate::plan::{self, Crew};
use crate::stages::Sets;
use crate::stages::decode::{Decode, LARGE, Options};
use crate::stages::encode::{self, Encode};
use crate::stages::pack_source::{self, Dealer};
use crate::stages::rule::Rule;
use crate::stages::write::{self, OnWritten, Write};

/// The source and the settings of a pack.
pub struct Packing {
    /// The source.
    pub data: Arc<Dataset>,
    /// The format of the pack.
    pub settings: Settings,
    /// Threads of decode; encode has the same number.
    pub workers: NonZeroUsize,
    /// Cores of the machine.
    pub cores: usize,
    /// Capacity of each channel.
    pub queue: NonZeroUsize,
    /// What happens at a bad image.
    pub on_bad_image: OnBadImage,
    /// How many images may be left out.
    pub bad_images_max: u64,
    /// The pack's folder. Bad images are copied to `quarantine` in it.
    pub out: PathBuf,
}

impl Packing {
    fn crew(&self) -> Crew {
        let count = self.workers.get();
        Crew {
            start: count,
            max: count,
        }
    }

    /// Number of records, and of pixel buffers: one for each worker and each place in a channel. Fewer would be safe, too, down
    /// to one.
    fn records(&self) -> NonZeroUsize {
        self.workers
            .saturating_add(self.workers.get())
            .saturating_add(3 * self.queue.get())
    }
}

impl Packing {
    /// The settings of source, which begins at position `start`.
    fn dealer(&self, start: u32) -> Dealer {
        Dealer {
            data: Arc::clone(&self.data),
            order: self.settings.order(),
            start,
            keep_files: self.settings.mode == Mode::Passthrough,
        }
    }

    /// The settings of encode.
    fn encoding(&self) -> Encode {
        Encode {
            mode: self.settings.mode,
            quality: self.settings.quality.unwrap_or(100),
            data: Arc::clone(&self.data),
        }
    }
}

/// The flow that continues the pack in `writer`.
pub fn packing(packing: &Packing, writer: PackWriter, stop: &Stop, on_written: OnWritten) -> Topology {
    let queue = &packing.queue;
    let count = packing.records();
    let mut flow = Flow::new(packing.cores);

    // source: takes returned records, sends tickets.
    let (home, records_home) = channel("home", count);
    (0..count.get()).for_each(|_| fill(&home, Record::default()));
    let (tickets, tickets_in) = channel("ticket", *queue);
    let dealer = packing.dealer(writer.next());
    let waits = Waits::of_source(records_home.gauge())
        .room(records_home.waits())
        .room(tickets.waits());
    flow.one("source", waits, {
        let stop = stop.clone();
        move || pack_source::run(&dealer, &records_home, tickets, &stop)
    });

    // decode: whole frames. There are as many buffers as records, so that no ticket waits for another ticket's buffer.
    let decoding = Decoding {
        settings: whole_frames(packing),
        crew: packing.crew(),
        buffers: count,
        queue: *queue,
        remedy: "",
    };
    let (pixels_in, spare) = flow.decode(decoding, &tickets_in);

    // encode: members of shards.
    let (records, records_in) = channel("record", *queue);
    let encoding = packing.encoding();
    let waits = Waits::of(Role::Input, &pixels_in)
        .room(records.waits())
        .room(spare.waits());
    flow.many("encode", packing.crew(), waits, |entrance| {
        let (encode, pixels) = (encoding.clone(), pixels_in.behind(entrance));
        let (spare, records) = (spare.clone(), records.clone());
        move || encode::run(&encode, &pixels, spare, records)
    });
    records.finish();

    // write: shards.
    let writing = Write {
        writer,
        bad_images_max: (packing.on_bad_image != OnBadImage::Fail).then_some(packing.bad_images_max),
        records: count.get(),
        on_written,
    };
    let waits = Waits::of(Role::Output, &records_in)
        .room(home.waits())
        .room(spare.waits());
    flow.one("write", waits, move || write::run(writing, &records_in, home, spare));
    flow.finish()
}

/// The settings of the decode workers.
fn whole_frames(packing: &Packing) -> Decode {
    let frames = packing.settings.frames;
    Decode {
        options: Options {
            shorter_side: frames.shorter_side,
            square: frames.square,
            exif: frames.exif,
            large: plan::of_one_decoder(&packing.data).max(LARGE),
            ..Options::default()
        },
        // Nothing is drawn.
        rule: Rule::plain(0, 1),
        data: Sets {
            train: Arc::clone(&packing.data),
            val: Arc::clone(&packing.data),
        },
        // Under `fail`, write ends the pack, at the first bad image in the order of the positions.
        on_bad_image: match packing.on_bad_image {
            OnBadImage::Fail => OnBadImage::Skip,
            other => other,
        },
        quarantine: packing.out.join("quarantine"),
    }
}
