"""Reads the files of a pack (manifest, .idx and .sums) as docs/pack-format.md describes them, with none of our code."""

import json
from pathlib import Path
from typing import NamedTuple

ESCAPES = {"\\t": "\t", "\\n": "\n", "\\r": "\r", "\\\\": "\\"}


class Sample(NamedTuple):
    shard: Path
    key: str
    label: int
    # CLASS/name in the source.
    id: str
    extension: str
    # The position of the image's contents in the shard.
    at: int
    length: int

    def contents(self):
        with self.shard.open("rb") as shard:
            shard.seek(self.at)
            return shard.read(self.length)


def unescape(text):
    parts, at = [], 0
    while at < len(text):
        escape = ESCAPES.get(text[at : at + 2])
        parts.append(escape or text[at])
        at += 2 if escape else 1
    return "".join(parts)


def manifest(pack):
    return json.loads(Path(pack, "dataset.json").read_text())


def shards(pack):
    """The shards that contain samples: DALI refuses the index of an empty one."""
    return [Path(pack, shard["file"]) for shard in manifest(pack)["shards"] if shard["samples"] > 0]


def samples(pack):
    """All samples in the order of the shards."""
    found = []
    for shard in shards(pack):
        # Split at newlines only: names may contain other characters that Python treats as line ends.
        sums = shard.with_suffix(".sums").read_bytes().decode().split("\n")[:-1]
        version, *index = shard.with_suffix(".idx").read_text().splitlines()
        assert version == f"v1.1 {len(sums)}", f"{shard.name}: .idx says {version}, .sums has {len(sums)} lines"
        for places, line in zip(index, sums, strict=True):
            extension, at, length = places.split()[:3]
            _, _, _, label, key, name = line.split("\t")
            found.append(Sample(shard, unescape(key), int(label), unescape(name), extension, int(at), int(length)))
    assert len(found) == manifest(pack)["samples"], f"{pack}: {len(found)} samples in .sums, but another number in dataset.json"
    return found
