//! Packs: the manifest, and the text and binary files beside each shard.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use pipeline::config::run::OnBadImage;
use pipeline::control::{self, Watch};
use pipeline::dataset::Dataset;
use pipeline::dataset::pack::{Begun, Frames, MANIFEST, Mode, Origin, PackWriter, STATISTICS, Settings, verify};
use pipeline::flow::Stop;
use pipeline::topology::{self, Packing};
use xxhash_rust::xxh3::xxh3_64;

use super::data::{examine, fit_for_people};
use super::given::Given;
use super::statistics::make_sense;
use super::{Target, place};

pub(super) const TARGET: Target = Target {
    name: "pack",
    run,
    seeds,
    words: &[
        b"v1.1 6\n",
        b"jpg 512 99 cls 1536 1\n",
        b"18446744073709551615",
        b"\t",
        b"\\t",
        b"../",
        b"/etc",
        b"brick/",
        b"\"samples\": 0",
        b"\"classes\": []",
        b"\"shards\": []",
        b"\"square_side\": 4294967295",
        b"null",
        b"..",
        b"\"mode\": \"raw\"",
    ],
    memory: 64 << 20,
};

/// The files of a complete pack of six images in one shard.
static PACK: LazyLock<BTreeMap<String, Vec<u8>>> = LazyLock::new(whole);

/// The first byte: which file gets the other bytes as contents, and whether the manifest is updated to match.
fn run(bytes: &[u8]) {
    let Some((&flags, contents)) = bytes.split_first() else {
        return;
    };
    let names: Vec<&String> = PACK.keys().collect();
    let changed = names[usize::from(flags & 0x0f) % names.len()];
    let folder = place::empty().join("d");
    let mut manifest = String::from_utf8(PACK[MANIFEST].clone()).unwrap();
    if flags & 0x80 == 0x80 {
        let hex = |bytes: &[u8]| format!("{:016x}", xxh3_64(bytes));
        manifest = manifest.replace(&hex(&PACK[changed]), &hex(contents));
        if Path::new(changed)
            .extension()
            .is_some_and(|extension| extension == "tar")
        {
            manifest = manifest.replace(
                &format!("\"bytes\": {}", PACK[changed].len()),
                &format!("\"bytes\": {}", contents.len()),
            );
        }
    }
    for (name, bytes) in &*PACK {
        place::write(&folder.join(name), bytes);
    }
    place::write(&folder.join(MANIFEST), manifest.as_bytes());
    place::write(&folder.join(changed), contents);
    if let Some(data) = examine(&folder.display().to_string(), &folder)
        && let Some(pack) = data.pack()
        && let Ok(statistics) = pack.statistics()
    {
        make_sense(&statistics);
    }
    match verify(&folder, |_| {}) {
        Ok(found) => {
            found.faults.iter().for_each(|fault| fit_for_people(fault));
            let differs = *contents != PACK[changed] && flags & 0x80 == 0;
            // The manifest also holds texts that nothing depends on, so a changed bit may be harmless there.
            let is_text = changed == MANIFEST;
            assert!(
                !differs || is_text || !found.faults.is_empty(),
                "{changed} has changed and verification finds nothing"
            );
        }
        Err(error) => fit_for_people(&error.to_string()),
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let each = PACK.iter().enumerate();
    each.flat_map(|(i, (_, bytes))| [0, 0x80].map(|told| [vec![i as u8 | told], bytes.clone()].concat()))
        .collect()
}

fn whole() -> BTreeMap<String, Vec<u8>> {
    let given = Given::new(2, 1);
    let data = Arc::new(Dataset::open(&given.path("train").display().to_string()).unwrap());
    let frames = Frames {
        shorter_side: Some(24),
        square: true,
        exif: true,
    };
    let source = Origin {
        location: "train".to_owned(),
        fingerprint: format!("{:016x}", data.fingerprint()),
        samples: data.len() as u32,
    };
    let settings = Settings {
        quality: Some(90),
        ..Settings::new("train".to_owned(), Mode::Jpeg, frames, source)
    };
    let out = given.path("packed");
    let Ok(Begun::Under(writer)) = PackWriter::begin(&out, Arc::clone(&data), settings.clone(), false) else {
        panic!("there is nothing yet")
    };
    let packing = Packing {
        data,
        settings,
        workers: NonZeroUsize::MIN,
        cores: 1,
        queue: NonZeroUsize::MIN,
        on_bad_image: OnBadImage::Fail,
        bad_images_max: 0,
        out: out.clone(),
    };
    let stop = Stop::default();
    let topology = topology::packing(&packing, *writer, &stop, Arc::new(|_| {}));
    let watch = Watch::silent(std::time::Duration::from_mins(1));
    assert!(matches!(
        control::supervise(topology, &stop, watch),
        control::Ending::Finished
    ));
    let file = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        (name(&path), std::fs::read(&path).unwrap())
    };
    let files: BTreeMap<_, _> = std::fs::read_dir(&out).unwrap().map(file).collect();
    assert!(
        files.contains_key(MANIFEST) && files.contains_key(STATISTICS),
        "{:?}",
        files.keys()
    );
    files
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}
