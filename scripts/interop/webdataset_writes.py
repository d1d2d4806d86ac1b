"""Reads shards that the `webdataset` package wrote, with ShardWriter and with TarWriter. Checks counts and labels.

    webdataset_writes.py BINARY FOLDER

FOLDER is created for the shards and for a pack of them. The .sums of the pack says which label we read for each sample.
"""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy
import webdataset

from pack_files import samples

BINARY, FOLDER = sys.argv[1], Path(sys.argv[2])


def made(count):
    """Samples of classes 0, 1, 2, … of different sizes."""
    labels = [label for label in range(6) for _ in range(label + 3)][:count]
    for at, label in enumerate(labels):
        image = numpy.full((40, 30 + at, 3), 7 * at, dtype=numpy.uint8)
        yield {"__key__": f"part{at % 2}/{at:05}", "jpg": image, "cls": label, "json": {"at": at}}


def check(kind, folder, written):
    """Checks the output of `inspect`, then a pack of these shards."""
    said = subprocess.run([BINARY, "inspect", folder], capture_output=True, text=True, check=True).stdout
    total = re.search(r": (\d+) images in (\d+) classes, WebDataset shards", said)
    counts = Counter(written.values())
    assert total and (int(total[1]), int(total[2])) == (len(written), len(counts)), said
    lines = {name: int(count) for count, name in re.findall(r"^ +(\d+)  (\S+)$", said, re.MULTILINE)}
    assert lines == {str(label): count for label, count in counts.items()}, f"inspect counts {lines}, but {counts} were written"

    pack = folder.with_name(folder.name + "-pack")
    command = [BINARY, "pack", folder, "--out", pack, "--mode", "passthrough", "--quiet"]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    # An id is CLASS/SHARD/KEY.jpg.
    read = {sample.id.split("/", 2)[2].removesuffix(".jpg"): sample.label for sample in samples(pack)}
    assert read == written, "a pack of the shards has other labels than were written"
    print(f"{kind}: {len(written)} samples in {len(list(folder.glob('*.tar')))} shards, read by us")


def main():
    FOLDER.mkdir(parents=True)
    folder = FOLDER / "shard-writer"
    folder.mkdir()
    written = {}
    with webdataset.ShardWriter(str(folder / "x-%06d.tar"), maxcount=10, verbose=0) as writer:
        for sample in made(33):
            writer.write(sample)
            written[sample["__key__"]] = sample["cls"]
    check("ShardWriter", folder, written)

    folder = FOLDER / "tar-writer"
    folder.mkdir()
    with webdataset.TarWriter(str(folder / "y.tar")) as writer:
        written = {}
        for sample in made(12):
            writer.write(sample)
            written[sample["__key__"]] = sample["cls"]
    check("TarWriter", folder, written)


main()
