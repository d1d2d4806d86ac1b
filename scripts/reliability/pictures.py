"""Small images and archives, made with the standard library alone."""

import io
import struct
import tarfile
import zlib

# Classes, each with its own colour.
CLASSES = {"brick": (190, 90, 70), "grass": (80, 170, 70), "sky": (80, 120, 200)}


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(width, height, rows, depth=8, colour=2, extra=b""):
    """A PNG with `rows` as image data, compressed here. `extra` holds further chunks before them."""
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(rows, 9))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + data + chunk(b"IEND", b"")


def png(rgb, number, side=40):
    """A class's colour with stripes that differ from image to image."""
    rows = bytearray()
    for y in range(side):
        rows.append(0)
        for x in range(side):
            shade = (x * (number % 5 + 1) + y * (number % 3 + 1) + 13 * number) % 48
            rows += bytes(min(255, value + shade) for value in rgb)
    return png_of(side, side, bytes(rows))


def class_folders(folder, each, first=0):
    """Class folders with `each` images per class."""
    for name, rgb in CLASSES.items():
        (folder / name).mkdir(parents=True)
        for i in range(first, first + each):
            (folder / name / f"{i:03}.png").write_bytes(png(rgb, i))


def tar_of(members, form=tarfile.GNU_FORMAT):
    """A tar of names and bytes, or of whole `TarInfo`s."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for member in members:
            info, data = (member, None) if isinstance(member, tarfile.TarInfo) else member
            if isinstance(info, str):
                info = tarfile.TarInfo(info)
            if data is not None:
                info.size = len(data)
            tar.addfile(info, io.BytesIO(data) if data is not None else None)
    return out.getvalue()
