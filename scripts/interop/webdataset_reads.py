"""Lets the `webdataset` package read a pack. Checks that its samples are those of .sums and dataset.json, and that their pixels
are ours.

    webdataset_reads.py PACK SOURCE [--pixels RAW]

SOURCE is what the pack was made from, as class folders. A passthrough pack contains its files byte for byte. RAW is a raw pack
of the same samples: what our own decoder made of them.
"""

import argparse
from pathlib import Path

import numpy
import webdataset

from pack_files import manifest, samples, shards

# A mean difference of pixels (of 255) that another decoder's rounding or compression may cause, and a mistake exceeds.
ALLOWED = 2.0


def read(pack):
    urls = [str(shard) for shard in shards(pack)]
    return webdataset.WebDataset(urls, shardshuffle=False)


def check_samples(pack, source):
    """Checks count, order, keys, labels, classes and contents."""
    classes = [one["name"] for one in manifest(pack)["classes"]]
    mode = manifest(pack)["mode"]
    stated, labels = samples(pack), [0] * len(classes)
    for own, found in zip(stated, read(pack), strict=True):
        assert found["__key__"] == own.key, f"found key {found['__key__']} where .sums has {own.key}"
        assert int(found["cls"]) == own.label, f"{own.key}: label {found['cls']}, .sums has {own.label}"
        assert own.id.startswith(classes[own.label] + "/"), f"{own.id} is not an image of {classes[own.label]}"
        assert found[own.extension] == own.contents(), f"{own.key}: .idx has another image"
        file = Path(source, own.id)
        assert file.is_file(), f"{own.id} is not in the source"
        assert mode != "passthrough" or file.read_bytes() == found[own.extension], f"{own.id} has changed"
        labels[own.label] += 1
    assert labels == [one["samples"] for one in manifest(pack)["classes"]], f"samples of each class: {labels}"
    files = sum(path.is_file() for path in Path(source).glob("*/*"))
    assert files == len(stated) + len(manifest(pack)["skipped"]), f"{files} files made {len(stated)} samples"
    return len(stated)


def check_pixels(pack, raw):
    """The largest mean difference of any sample."""
    # Packs of different sources have different orders.
    image = {sample.key: sample.extension for sample in samples(pack)}
    ours = {found["__key__"]: found["ppm"] for found in read(raw).decode("rgb8")}
    largest = 0.0
    for found in read(pack).decode("rgb8"):
        key = found["__key__"]
        theirs, own = found[image[key]].astype(int), ours.pop(key).astype(int)
        assert theirs.shape == own.shape, f"{key}: webdataset has {theirs.shape}, we have {own.shape}"
        difference = numpy.abs(theirs - own).mean()
        assert difference <= ALLOWED, f"{key}: pixels differ by {difference:.2f} on average"
        largest = max(largest, difference)
    assert not ours, f"{len(ours)} samples of {raw} have no counterpart"
    return largest


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pack", type=Path)
    parser.add_argument("source", type=Path)
    parser.add_argument("--pixels", type=Path, metavar="RAW")
    options = parser.parse_args()
    result = f"webdataset: {check_samples(options.pack, options.source)} samples of {options.pack.name}"
    if options.pixels:
        largest = check_pixels(options.pack, options.pixels)
        result += f", pixels within {largest:.2f} of those of {options.pixels.name}"
    print(result)


main()
