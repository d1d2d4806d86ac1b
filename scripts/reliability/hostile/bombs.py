"""Small files that claim to be very large, or become very large."""

import gzip
import io
import os
import struct
import tarfile
import zlib

from ..pictures import chunk, png_of, tar_of
from .made import Made, good_images, good_png

MIB = 1 << 20


def zeros_deflated(mebibytes):
    """A raw deflate stream of this many MiB of zeros. It is a thousandth of that size, and quick to make."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packer.compress(b"")
    return first * mebibytes + packer.flush(zlib.Z_FINISH)


def zeros_zlib(mebibytes):
    # Adler-32 of zeros: the first sum stays 1, the second counts the bytes.
    adler = (mebibytes * MIB % 65521) << 16 | 1
    return b"\x78\xda" + zeros_deflated(mebibytes) + struct.pack(">I", adler)


def zeros_gzip(mebibytes, before=b""):
    """A gzipped file of a few bytes and this many MiB of zeros."""
    crc, part = zlib.crc32(before), bytes(MIB)
    for _ in range(mebibytes):
        crc = zlib.crc32(part, crc)
    stored = b"\0" + struct.pack("<HH", len(before), len(before) ^ 0xFFFF) + before
    tail = struct.pack("<II", crc, len(before) + mebibytes * MIB & 0xFFFFFFFF)
    return b"\x1f\x8b\x08\0\0\0\0\0\x02\xff" + stored + zeros_deflated(mebibytes) + tail


def _png(width, height, depth, colour, data, extra=b""):
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def _among_good(folder, name, data):
    good_images(folder / "data")
    (folder / "data" / "sky" / name).write_bytes(data)
    return Made("data", [f"data/sky/{name}"])


def png_of_many_pixels(folder):
    """13,377 by 13,377 pixels of RGBA with 16 bits each, the largest permitted number: 1.4 GB."""
    return _among_good(folder, "x.png", _png(13377, 13377, 16, 6, zeros_zlib(13377 * (13377 * 8 + 1) // MIB + 1)))


def png_that_claims_pixels(folder):
    return _among_good(folder, "x.png", _png(0x7FFFFFFF, 0x7FFFFFFF, 16, 6, zlib.compress(bytes(100))))


def png_of_one_bit(folder):
    return _among_good(folder, "x.png", _png(60000, 2900, 1, 0, zeros_zlib(2900 * 7501 // MIB + 1)))


def png_with_a_large_text(folder):
    extra = chunk(b"zTXt", b"Comment\0\0" + zeros_zlib(1500)) + chunk(b"iCCP", b"x\0\0" + zeros_zlib(1500))
    rows = b"".join(b"\0" + bytes(3 * 40) for _ in range(40))
    return _among_good(folder, "x.png", png_of(40, 40, rows, extra=extra))


def png_with_too_much_data(folder):
    return _among_good(folder, "x.png", _png(40, 40, 8, 2, zeros_zlib(2000)))


def jpeg_that_claims_pixels(folder):
    frame = struct.pack(">BHHB", 8, 65500, 65500, 1) + b"\x01\x11\0"
    head = b"\xff\xd8\xff\xdb\0\x43\0" + bytes([1] * 64) + b"\xff\xc0" + struct.pack(">H", len(frame) + 2) + frame
    return _among_good(folder, "x.jpg", head + b"\xff\xda\0\x08\x01\x01\0\0\x3f\0" + b"\0" * 100 + b"\xff\xd9")


def jpeg_of_many_scans(folder):
    """A progressive image of 25 million pixels with 200 nearly empty scans."""
    side = 5000
    frame = struct.pack(">BHHB", 8, side, side, 1) + b"\x01\x11\0"
    codes = b"\xff\xc4" + struct.pack(">H", 2 + 17 + 1) + b"\0" + bytes([1] + [0] * 15) + b"\0"
    codes += b"\xff\xc4" + struct.pack(">H", 2 + 17 + 1) + b"\x10" + bytes([1] + [0] * 15) + b"\0"
    head = (
        b"\xff\xd8\xff\xdb\0\x43\0" + bytes([1] * 64) + b"\xff\xc2" + struct.pack(">H", len(frame) + 2) + frame + codes
    )
    scan = b"\xff\xda\0\x08\x01\x01\0%s" % b"\0\0\0" + b"\0" * 16
    return _among_good(folder, "x.jpg", head + scan * 200 + b"\xff\xd9")


def huge_sparse_image(folder):
    good_images(folder / "data")
    for name, size in (("x.jpg", 6 << 30), ("y.png", 3 << 40)):
        (folder / "data" / "sky" / name).touch()
        os.truncate(folder / "data" / "sky" / name, size)
    return Made("data", ["data/sky/x.jpg", "data/sky/y.png"])


def huge_sparse_tar(folder):
    (folder / "data.tar").write_bytes(tar_of([("sky/0.png", good_png()), ("grass/0.png", good_png())]))
    os.truncate(folder / "data.tar", 3 << 40)
    return Made("data.tar")


def huge_list(folder):
    (folder / "data.txt").write_bytes(b"a/1.jpg\tcat\nb/1.jpg\tdog\n")
    os.truncate(folder / "data.txt", 6 << 30)
    return Made("data.txt")


def idx_that_grows(folder):
    (folder / "data").mkdir()
    count = 2000
    head = struct.pack(">IIII", 0x803, count, 1000, 1000)
    (folder / "data" / "t-images-idx3-ubyte.gz").write_bytes(zeros_gzip(1907, head))
    (folder / "data" / "t-labels-idx1-ubyte").write_bytes(
        struct.pack(">II", 0x801, count) + bytes([0, 1] * (count // 2))
    )
    return Made("idx:data/t")


def idx_that_claims(folder):
    (folder / "data").mkdir()
    (folder / "data" / "t-images-idx3-ubyte.gz").write_bytes(
        gzip.compress(struct.pack(">IIII", 0x803, 0xFFFFFFFF, 0xFFFF, 0xFFFF))
    )
    (folder / "data" / "t-labels-idx1-ubyte").write_bytes(struct.pack(">II", 0x801, 0xFFFFFFFF))
    return Made("idx:data/t", refused=True)


def _kit(folder, meta):
    (folder / "data").mkdir()
    images = tar_of([(f"ILSVRC2012_val_{i:08}.JPEG", good_png()) for i in (1, 2)])
    (folder / "data" / "ILSVRC2012_img_val.tar").write_bytes(images)
    name = "ILSVRC2012_devkit_t12/data/"
    out = io.BytesIO()
    members = [(name + "meta.mat", meta), (name + "ILSVRC2012_validation_ground_truth.txt", b"1\n2\n")]
    with gzip.open(out, "wb", 1) as file:
        file.write(tar_of(members, tarfile.USTAR_FORMAT))
    (folder / "data" / "ILSVRC2012_devkit_t12.tar.gz").write_bytes(out.getvalue())
    return Made("ilsvrc:data/val", refused=True)


def mat_of_many_arrays(folder):
    """Consecutive compressed elements of 63 MiB each: 16 GB."""
    array = zeros_zlib(63)
    header = b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM"
    return _kit(folder, header + (struct.pack("<II", 15, len(array)) + array) * 250)


def mat_that_claims(folder):
    header = b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM"
    return _kit(folder, header + struct.pack("<II", 14, 0xFFFFFFF0) + bytes(64))


def kit_that_grows(folder):
    made = _kit(folder, b"")
    (folder / "data" / "ILSVRC2012_devkit_t12.tar.gz").write_bytes(zeros_gzip(3000))
    return made


SETS = (
    png_of_many_pixels,
    png_that_claims_pixels,
    png_of_one_bit,
    png_with_a_large_text,
    png_with_too_much_data,
    jpeg_that_claims_pixels,
    jpeg_of_many_scans,
    huge_sparse_image,
    huge_sparse_tar,
    huge_list,
    idx_that_grows,
    idx_that_claims,
    mat_of_many_arrays,
    mat_that_claims,
    kit_that_grows,
)
