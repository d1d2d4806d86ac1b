"""Measures images per second of other input pipelines, for scripts/bench-input: decode, shorter side to 256, random crop of 224,
random reflection, normalized float32 planes, batches of 128.

    input.py torchvision|dali|dali-pack PATH THREADS

torchvision and dali read class folders. dali-pack reads the shards of a pack of 256-pixel JPEGs with their indices. The first
epoch warms up, the second is timed. Prints one JSON object.
"""

import json
import sys
import time
from pathlib import Path

BATCH = 128
MEAN = [123.675, 116.28, 103.53]
STD = [58.395, 57.12, 57.375]


def torchvision_loader(path, threads):
    import torch
    from torchvision import datasets, transforms

    torch.set_num_threads(1)
    look = transforms.Compose([
        transforms.Resize(256),
        transforms.RandomCrop(224),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
        transforms.Normalize([m / 255 for m in MEAN], [s / 255 for s in STD]),
    ])
    loader = torch.utils.data.DataLoader(
        datasets.ImageFolder(path, look),
        batch_size=BATCH,
        shuffle=True,
        drop_last=True,
        num_workers=threads,
        persistent_workers=True,
    )
    return lambda: (len(labels) for _, labels in loader)


def dali_loader(path, threads, packed):
    from nvidia.dali import fn, pipeline_def, types

    @pipeline_def(batch_size=BATCH, num_threads=threads, device_id=None)
    def graph():
        if packed:
            shards = sorted(Path(path).glob("*.tar"))
            encoded, label = fn.readers.webdataset(
                paths=[str(shard) for shard in shards],
                index_paths=[str(shard.with_suffix(".idx")) for shard in shards],
                ext=["jpg", "cls"],
                random_shuffle=True,
                name="source",
            )
        else:
            encoded, label = fn.readers.file(file_root=path, random_shuffle=True, name="source")
        pixels = fn.decoders.image(encoded, device="cpu")
        if not packed:
            pixels = fn.resize(pixels, resize_shorter=256, interp_type=types.INTERP_LINEAR)
        row = fn.crop_mirror_normalize(
            pixels,
            crop=(224, 224),
            crop_pos_x=fn.random.uniform(range=(0.0, 1.0)),
            crop_pos_y=fn.random.uniform(range=(0.0, 1.0)),
            mirror=fn.random.coin_flip(),
            mean=MEAN,
            std=STD,
            dtype=types.FLOAT,
            output_layout="CHW",
        )
        return row, label

    built = graph()
    built.build()
    batches = built.epoch_size("source") // BATCH

    def epoch():
        for _ in range(batches):
            built.run()
            yield BATCH

    return epoch


def main():
    kind, path, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if kind == "torchvision":
        epoch = torchvision_loader(path, threads)
    elif kind in ("dali", "dali-pack"):
        epoch = dali_loader(path, threads, packed=kind == "dali-pack")
    else:
        sys.exit(__doc__)
    for _ in range(2):
        start = time.perf_counter()
        images = sum(epoch())
        seconds = time.perf_counter() - start
    print(json.dumps({"peer": kind, "images": images, "images_per_s": images / seconds}))


main()
