//! Packs that somebody changed before correcting the checksums. Only contradictory contents can then be found.

use std::fs;
use std::path::Path;

use pipeline::checksum;
use pipeline::dataset::Dataset;
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

/// Sets all checksums in a pack's manifest, and the manifest's own, to those of the files that exist.
pub fn seal(folder: &Path) {
    let path = folder.join("dataset.json");
    let mut manifest: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let hash = |name: &str| fs::read(folder.join(name)).map(|bytes| format!("{:016x}", xxh3_64(&bytes)));
    if let Ok(sum) = hash("stats.safetensors") {
        manifest["stats_xxh3"] = sum.into();
    }
    for shard in manifest["shards"].as_array_mut().unwrap() {
        let tar = shard["file"].as_str().unwrap().to_owned();
        for (key, extension) in [("xxh3", "tar"), ("idx_xxh3", "idx"), ("sums_xxh3", "sums")] {
            let file = Path::new(&tar).with_extension(extension);
            if let Ok(sum) = hash(&file.to_string_lossy()) {
                shard[key] = sum.into();
            }
        }
    }
    manifest[checksum::KEY] = checksum::BLANK.into();
    let mut text = serde_json::to_vec_pretty(&manifest).unwrap();
    assert!(checksum::put(&mut text));
    fs::write(path, text).unwrap();
}

/// Why a data set does not open.
pub fn refusal(location: &Path) -> String {
    let opened = Dataset::open(location.to_str().unwrap());
    opened.map(|_| ()).unwrap_err().to_string()
}
