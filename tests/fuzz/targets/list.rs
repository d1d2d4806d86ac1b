//! List files: one `path<TAB>class` per line.

use super::data::examine;
use super::{Target, place};

pub(super) const TARGET: Target = Target {
    name: "list",
    run,
    seeds,
    words: &[
        b"\t",
        b",",
        b"\n",
        b"\r\n",
        b"#",
        b"../",
        b"/",
        b"..",
        b"\xef\xbb\xbf",
        b"100000",
        b"4294967296",
        b"007",
    ],
    memory: 64 << 20,
};

/// The first byte: which kind of list. Only one of the listed files exists.
fn run(bytes: &[u8]) {
    let Some((flags, text)) = bytes.split_first() else {
        return;
    };
    let folder = place::empty().join("d");
    let extension = ["txt", "tsv", "csv"][usize::from(flags % 3)];
    let list = folder.join(format!("x.{extension}"));
    place::write(&list, text);
    place::write(&folder.join("a/1.jpg"), b"one");
    examine(&list.display().to_string(), &folder);
}

fn seeds() -> Vec<Vec<u8>> {
    [
        &b"\0# a comment\na/1.jpg\tcat\nb/2 x.jpg\tdog\n"[..],
        b"\0a/1.jpg 0\na/2.jpg 3\n",
        b"\x01a/1.jpg\t0\r\na/1.jpg\t1\r\n",
        b"\x02path,label\na/1.jpg,cat\n\"b,c.jpg\",dog\n",
        b"\0../../etc/1.jpg\tcat\n/abs/2.jpg\tdog\n",
        b"\0a/1.jpg\t..\nb/1.jpg\t/tmp/x\n",
        b"\0a/1.jpg\t\x1b[2Jcat\nb/1.jpg\t\xe2\x80\xaedog\n",
        b"\0a/\xff.jpg\tcat\n",
        b"\0a/1.jpg\t99999\nb/1.jpg\t0\n",
        b"\0",
    ]
    .map(<[u8]>::to_vec)
    .into()
}
