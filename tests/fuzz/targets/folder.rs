//! Class folders with any names that a file system can hold.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Component, Path};

use super::data::examine;
use super::{Target, place};

pub(super) const TARGET: Target = Target {
    name: "folder",
    run,
    seeds,
    words: &[
        b".jpg",
        b".PNG",
        b"/",
        b"\0",
        b"\n",
        b"\x1b[2J",
        "\u{202e}".as_bytes(),
        b"\xff",
        b"->..",
        b".",
        b"train",
    ],
    memory: 32 << 20,
};

/// Names, separated by zero bytes; `NAME->TARGET` is a link.
fn run(bytes: &[u8]) {
    let folder = place::empty().join("d");
    std::fs::create_dir(&folder).unwrap();
    for name in bytes.split(|&byte| byte == 0).filter(|name| !name.is_empty()).take(30) {
        let (name, target) = match name.windows(2).position(|two| two == b"->") {
            Some(at) => (&name[..at], Some(&name[at + 2..])),
            None => (name, None),
        };
        let path = Path::new(OsStr::from_bytes(name));
        let is_inside = path.components().all(|part| matches!(part, Component::Normal(_)));
        if !is_inside || path.as_os_str().is_empty() {
            continue;
        }
        let path = folder.join(path);
        // What cannot be created is no data set.
        let _ = std::fs::create_dir_all(path.parent().unwrap());
        let _ = match target {
            // Only links that stay within this folder.
            Some(target) if Path::new(OsStr::from_bytes(target)).is_relative() && target.len() < 6 => {
                symlink(OsStr::from_bytes(target), path)
            }
            Some(_) => Ok(()),
            None => std::fs::write(path, b"contents"),
        };
    }
    examine(&folder.display().to_string(), &folder);
}

fn seeds() -> Vec<Vec<u8>> {
    let long = format!("a/{}.jpg\0b/1.jpg", "n".repeat(240));
    [
        &b"a/1.jpg\0a/sub/2.PNG\0b/3.jpeg\0b/x.txt\0.hidden/1.jpg"[..],
        b"a/1.jpg\0b/2.jpg\0loose.jpg",
        b"a/1.jpg\0b->a\0a/loop->..",
        b"a/1.jpg\0b/2.jpg\0b/dead->x",
        b"a\n/1.jpg\0b/\x1b[2J.jpg\0b/\xe2\x80\xae.jpg",
        b"a/1.jpg\0b/\xff.jpg",
        b"train/a/1.jpg\0val/a/1.jpg",
        long.as_bytes(),
    ]
    .map(<[u8]>::to_vec)
    .into()
}
