//! What computes on one kind of device stays behind `model::Device`.

use super::circles::{File, Tree};
use super::sources;

/// Folders of one kind of device, and who else may use what is in them.
const FOLDERS: [(&str, &[&str]); 4] = [
    ("src/model/cpu/", &["src/model/devices.rs"]),
    ("src/model/cuda/", &["src/model/devices.rs"]),
    ("src/devices/cuda/", &["src/ops/", "src/model/"]),
    (
        "src/devices/cpu/",
        &[
            "src/ops/",
            "src/model/cpu/",
            "src/model/devices.rs",
            // Threads for work of the host.
            "src/model/init.rs",
            "src/cli/estimate.rs",
            // What the bench hands to other programs are rows of a CPU.
            "src/cli/bench/compute/images.rs",
        ],
    ),
];

#[test]
fn only_their_factory_names_what_computes_on_one_kind_of_device() {
    let sources = sources("src");
    let files: Vec<File> = sources.iter().map(|(path, text)| File::read(path, text)).collect();
    let tree = Tree::new(&files);
    let mut wrong = Vec::new();
    for file in &files {
        for used in tree.used_by(file).into_iter().map(|used| &files[used].path) {
            for (folder, others) in FOLDERS {
                let mut doors = others.iter().copied().chain([folder]);
                if used.starts_with(folder) && !doors.any(|door| file.path.starts_with(door)) {
                    wrong.push(format!("{} uses {used}", file.path));
                }
            }
        }
    }
    let doors = FOLDERS
        .iter()
        .flat_map(|(folder, others)| others.iter().chain([folder]));
    for door in doors {
        assert!(
            files.iter().any(|file| file.path.starts_with(door)),
            "there is no {door}"
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
