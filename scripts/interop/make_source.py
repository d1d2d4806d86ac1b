"""Makes class folders of small images whose pixels and names are hard for readers, with the standard library alone.

    make_source.py FOLDER

Images are PNGs whose shorter side has 256 pixels. They show slow diagonal waves, each with its own colours and direction. A
sample under a wrong key, a reflection or exchanged channels then make a large difference, and JPEG compression a small one.
"""

import math
import struct
import sys
import zlib
from pathlib import Path

# Classes have different numbers of images, so that exchanged labels change the counts.
CLASSES = {"ape": 7, "bear (brown)": 9, "Zebra.v2": 11, "__misc__": 13, "été": 15}
NAMES = {
    0: "two.dots.here.png",
    1: "back\\slash.png",
    2: "blank and % sign.png",
    3: "ünïcode.png",
    # Longer than the 100 bytes for a name in a tar header.
    4: "long-" * 30 + ".png",
    # A PNG under another name: its extension in the pack is that of its contents.
    5: "photo.JPEG",
}


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, number):
    """Each row is the same wave, shifted by a few pixels."""
    periods = [150 + 7 * ((number * step) % 13) for step in (1, 3, 5)]
    wave = bytes(
        round(128 + 100 * math.sin(2 * math.pi * x / period + number + channel))
        for x in range(width + 2 * height)
        for channel, period in enumerate(periods)
    )
    slope = number % 3
    rows = b"".join(b"\0" + wave[3 * slope * y : 3 * (slope * y + width)] for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")


def main():
    number = 0
    for name, images in CLASSES.items():
        folder = Path(sys.argv[1], name)
        folder.mkdir(parents=True)
        for at in range(images):
            longer = 256 + 13 * (number % 8)
            size = (longer, 256) if number % 2 else (256, longer)
            (folder / NAMES.get(at, f"{at:04}.png")).write_bytes(png(*size, number))
            number += 1


main()
