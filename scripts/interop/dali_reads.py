"""Lets DALI read a pack by its .idx, on the CPU. Checks that its samples are those of .sums, and that its pixels are close to ours.

    dali_reads.py RAW PACK…

RAW is a raw pack of the same samples as each PACK: what our own decoder made of them.
"""

import platform
import sys
from pathlib import Path

import numpy
import nvidia.dali
from nvidia.dali import fn, pipeline_def

from pack_files import manifest, samples, shards

BATCH = 32
# A mean difference of pixels (of 255) that another decoder's rounding may cause, and a mistake exceeds.
ALLOWED = 2.0


def read(pack, extension):
    """Place (shard:position:), encoded image, label and pixels of each sample, in the order of the shards."""

    @pipeline_def(batch_size=BATCH, num_threads=2, device_id=None)
    def graph():
        encoded, label = fn.readers.webdataset(
            paths=[str(shard) for shard in shards(pack)],
            index_paths=[str(shard.with_suffix(".idx")) for shard in shards(pack)],
            ext=[extension, "cls"],
            name="source",
        )
        return encoded, label, fn.decoders.image(encoded, device="cpu")

    built = graph()
    built.build()
    left = built.epoch_size("source")
    while left > 0:
        encoded, labels, pixels = built.run()
        # DALI fills the last batch with samples from the beginning.
        for at in range(min(BATCH, left)):
            label = int(bytes(numpy.asarray(labels[at])))
            place = encoded[at].source_info()
            yield place, bytes(numpy.asarray(encoded[at])), label, numpy.asarray(pixels[at])
        left -= BATCH


def frame(sample):
    """Pixels of a PPM as packs store it."""
    _, size, _, rows = sample.contents().split(b"\n", 3)
    width, height = map(int, size.split())
    return numpy.frombuffer(rows, numpy.uint8).reshape(height, width, 3)


def check(pack, raw):
    ours = {sample.key: sample for sample in samples(raw)}
    stated, differences = samples(pack), []
    labels = [0] * len(manifest(pack)["classes"])
    for own, (place, encoded, label, pixels) in zip(stated, read(pack, stated[0].extension), strict=True):
        # After the last colon comes the member's name, which an index of version 1.1 does not contain.
        assert place == f"{own.shard}:{own.at}:", f"{own.key}: DALI found it at {place}, not where .idx says"
        assert encoded == own.contents(), f"{own.key}: another image"
        assert label == own.label, f"{own.key}: label {label}, .sums has {own.label}"
        wanted = frame(ours.pop(own.key))
        assert pixels.shape == wanted.shape, f"{own.key}: DALI has {pixels.shape}, we have {wanted.shape}"
        differences.append(numpy.abs(pixels.astype(int) - wanted).mean())
        assert differences[-1] <= ALLOWED, f"{own.key}: pixels differ by {differences[-1]:.2f} on average"
        labels[label] += 1
    assert not ours, f"{len(ours)} samples of {raw} have no counterpart"
    assert labels == [one["samples"] for one in manifest(pack)["classes"]], f"samples of each class: {labels}"
    print(f"{pack.name}: {len(stated)} samples in {len(shards(pack))} shards, {len(labels)} classes")
    print("  places, contents and labels are those of .idx and .sums")
    print(f"  pixels differ from ours by {numpy.mean(differences):.3f} on average, {max(differences):.3f} at most")


def main():
    raw, *packs = map(Path, sys.argv[1:])
    print(f"DALI {nvidia.dali.__version__}, numpy {numpy.__version__}, Python {platform.python_version()}, {manifest(raw)['writer']}")
    for pack in packs:
        check(pack, raw)


main()
