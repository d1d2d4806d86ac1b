"""Forged packs: packs of ours that somebody changed. Checksums that are known here are made to match."""

import json
import re
import shutil
import struct

from .made import Made

# Makers get only a folder. The trial puts a good pack here beforehand.
PACK = "data"


def _read(folder):
    return json.loads((folder / PACK / "dataset.json").read_text())


def _write(folder, manifest):
    (folder / PACK / "dataset.json").write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")


def _everywhere(folder, before, after):
    """Replaces a text in the manifest and in the lines of sums."""
    for path in (folder / PACK).iterdir():
        if path.suffix in (".json", ".sums"):
            path.write_text(path.read_text().replace(before, after))


def _spoil(folder):
    """Damages one image of each shard, so that there is something to quarantine."""
    for path in (folder / PACK).glob("*.tar"):
        data = bytearray(path.read_bytes())
        data[700] ^= 255
        path.write_bytes(data)


def class_of_dots(folder):
    _everywhere(folder, "brick", "..")
    _spoil(folder)
    return Made(PACK, refused=True)


def absolute_class(folder):
    _everywhere(folder, "brick", f"{folder}/canary")
    _spoil(folder)
    return Made(PACK, refused=True)


def class_that_climbs(folder):
    _everywhere(folder, "brick", "../../../../canary")
    _spoil(folder)
    return Made(PACK, refused=True)


def class_that_acts(folder):
    manifest = _read(folder)
    for entry in manifest["classes"]:
        if entry["name"] == "brick":
            entry["name"] = "\x1b[2J<script>\nFORGED"
    _write(folder, manifest)
    for path in (folder / PACK).glob("*.sums"):
        path.write_text(path.read_text().replace("\tbrick/", "\t\x1b[2J<script>\\nFORGED/"))
    return Made(PACK)


def sample_that_climbs(folder):
    for path in (folder / PACK).glob("*.sums"):
        path.write_text(re.sub(r"\tbrick/(\w+)", r"\tbrick/../../../../canary/\1", path.read_text()))
    _spoil(folder)
    return Made(PACK, refused=True)


def shard_elsewhere(folder):
    shutil.copy(folder / PACK / "train-000000.tar", folder / "x.tar")
    manifest = _read(folder)
    manifest["shards"][0]["file"] = "../x.tar"
    _write(folder, manifest)
    return Made(PACK, refused=True)


def no_samples(folder):
    manifest = _read(folder)
    manifest.update(samples=0, shards=[])
    _write(folder, manifest)
    return Made(PACK, refused=True)


def no_classes(folder):
    manifest = _read(folder)
    manifest["classes"] = []
    _write(folder, manifest)
    return Made(PACK, refused=True)


def numbers_that_lie(folder):
    manifest = _read(folder)
    manifest["samples"] = 2**64 - 1
    for shard in manifest["shards"]:
        shard.update(samples=2**32 - 1, bytes=2**64 - 1)
    _write(folder, manifest)
    return Made(PACK, refused=True)


def deep_json(folder):
    (folder / PACK / "dataset.json").write_text('{"format":' + "[" * 200_000)
    return Made(PACK, refused=True)


def _statistics(folder, change):
    """Writes the statistics again with changed tensors: names with type, shape and bytes."""
    path = folder / PACK / "stats.safetensors"
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    parts = {
        name: [t["dtype"], t["shape"], data[8 + length :][slice(*t["data_offsets"])]] for name, t in header.items()
    }
    change(parts)
    header, body = {"__metadata__": metadata}, b""
    # The widest first, for alignment.
    for name, (kind, shape, contents) in sorted(parts.items(), key=lambda part: (-int(part[1][0][1:]), part[0])):
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [len(body), len(body) + len(contents)]}
        body += contents
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)
    return Made(PACK)


def mean_without_a_shape(folder):
    return _statistics(folder, lambda parts: parts.update(mean_image=["F32", [], bytes(4)]))


def mean_of_another_size(folder):
    return _statistics(folder, lambda parts: parts.update(mean_image=["F32", [2, 2, 3], bytes(48)]))


def mean_that_is_no_number(folder):
    return _statistics(
        folder, lambda parts: parts.update(channel_mean=["F64", [3], struct.pack("<d", float("nan")) * 3])
    )


def eigenvalues_that_are_none(folder):
    return _statistics(folder, lambda parts: parts.update(eigenvalues=["F64", [1], struct.pack("<d", 1.0)]))


def no_statistics(folder):
    (folder / PACK / "stats.safetensors").write_bytes(b"")
    return Made(PACK)


SETS = (
    class_of_dots,
    absolute_class,
    class_that_climbs,
    class_that_acts,
    sample_that_climbs,
    shard_elsewhere,
    no_samples,
    no_classes,
    numbers_that_lie,
    deep_json,
    mean_without_a_shape,
    mean_of_another_size,
    mean_that_is_no_number,
    eigenvalues_that_are_none,
    no_statistics,
)
