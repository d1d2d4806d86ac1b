//! A full disk ends the run with that reason; earlier checkpoints stay intact.

use std::fs;
use std::path::Path;
use std::process::Command;

use pipeline::model::checkpoint;

use crate::given::Given;
use crate::process::{result, run};
use crate::skip::{self, Need};

/// A small in-memory file system, unmounted at the end.
struct Small<'a>(&'a Path);

impl<'a> Small<'a> {
    /// `None` if this user may not mount.
    fn mount(at: &'a Path, kilobytes: u32) -> Option<Self> {
        fs::create_dir_all(at).expect("a folder");
        let options = format!("size={kilobytes}k");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(at)
            .output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self(at))
    }
}

impl Drop for Small<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0).output();
    }
}

#[test]
fn a_full_disk_ends_the_run_with_that_reason() {
    let given = Given::new(20, 4);
    let out = given.path("small");
    let Some(_small) = Small::mount(&out, 256) else {
        return skip::for_lack_of(Need::Mount, "this user may not mount a small file system");
    };
    let ended = run(
        &given,
        &["run.out=small", "run.epochs=4000", "evaluate.every_epochs=4000"],
    )
    .expect(1);
    let reason = ended
        .stderr
        .lines()
        .find(|line| line.starts_with("error: "))
        .unwrap_or_default();
    assert!(reason.contains("No space left on device"), "{}", ended.stderr);
    assert!(reason.contains("small/"), "the file is named: {reason}");
    result(&out);
    for (_, path) in checkpoint::list(&out.join("checkpoints")).expect("the folder") {
        assert!(checkpoint::read(&path).is_ok(), "{} is whole", path.display());
    }
}
