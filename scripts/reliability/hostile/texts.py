"""Lists and other text files."""

import os

from .made import Made, good_images
from .names import NAMES

# If nothing can be opened, the rest of a command does not matter.
OPENING = ("inspect", "check", "run-fail", "pack-jpeg-fail", "export", "eval")


def _list(folder, lines, name="data.txt", **more):
    good_images(folder / "images")
    (folder / "canary" / "bad.png").write_bytes(b"damaged, and another's")
    (folder / name).write_bytes(b"".join(line + b"\n" for line in lines))
    return Made(name, **more)


GOOD = [b"images/%s/%03d.png\t%s" % (name, i, name) for name in (b"brick", b"grass", b"sky") for i in range(2)]


def list_that_climbs(folder):
    """A path may lead outside the list's folder; a copy of that file may not."""
    made = _list(folder, [])
    place = folder / "data" / "1/2/3/4"
    place.mkdir(parents=True)
    up = b"../../../../../"
    lines = [*(up + line for line in GOOD), up + b"canary/bad.png\tsky", up + b"canary/bad.png\tgrass"]
    (place / "data.txt").write_bytes(b"\n".join(lines))
    made.location = "data/1/2/3/4/data.txt"
    return made


def list_of_absolute_paths(folder):
    return _list(folder, [*GOOD, b"%s/canary/bad.png\tsky" % bytes(folder)])


def labels_that_are_paths(folder):
    return _list(folder, [*GOOD, b"canary/bad.png\t../../canary"], refused=True)


def a_label_of_dots(folder):
    return _list(folder, [*GOOD, b"canary/bad.png\t..", b"images/sky/002.png\t.."], refused=True)


def absolute_labels(folder):
    return _list(folder, [*GOOD, b"canary/bad.png\t%s/canary" % bytes(folder)], refused=True)


def labels_that_act(folder):
    labels = [name for name in NAMES if b"\n" not in name and b"\t" not in name and b"/" not in name]
    return _list(folder, [b"images/sky/00%d.png\t%s" % (i % 2, label) for i, label in enumerate(labels)])


def a_label_of_many(folder):
    return _list(folder, [b"images/sky/000.png\t0", b"images/sky/001.png\t99999"], refused=True)


def a_label_beyond(folder):
    return _list(folder, [b"images/sky/000.png\t0", b"images/sky/001.png\t4294967296"])


def a_line_without_end(folder):
    return _list(folder, [b"x" * (8 << 20)], refused=True)


def list_of_a_pipe(folder):
    made = _list(folder, [*GOOD, b"pipe.png\tsky"])
    os.mkfifo(folder / "pipe.png")
    return made


def list_of_devices(folder):
    return _list(
        folder, [*GOOD, b"/dev/zero\tsky", b"/dev/urandom\tgrass", b"/dev/full\tbrick", b"/proc/self/mem\tsky"]
    )


def list_of_folders(folder):
    return _list(folder, [*GOOD, b"images\tsky", b".\tsky"])


def binary_list(folder):
    return _list(folder, [bytes(range(256)) * 10], name="data.csv", refused=True)


def pattern_of_many_digits(folder):
    return Made("data-{0..%s}.tar" % ("9" * 70_000), refused=True, only=OPENING)


def pattern_of_many_zeros(folder):
    return Made("data-{%s..1}.tar" % ("0" * 70_000), refused=True, only=OPENING)


def location_of_many_parts(folder):
    return Made("a/" * 30_000, refused=True, only=OPENING)


def names_in_cifar(folder):
    (folder / "data").mkdir()
    names = b"\n".join([b"..", b"\x1b[2J", b"a/b", b"d", b"e", b"f", b"g", b"h", b"i", b"j"])
    (folder / "data" / "batches.meta.txt").write_bytes(names)
    (folder / "data" / "test_batch.bin").write_bytes(b"".join(bytes([i]) * 3073 for i in range(10)))
    return Made("cifar:data/test", refused=True)


SETS = (
    list_that_climbs,
    list_of_absolute_paths,
    labels_that_are_paths,
    a_label_of_dots,
    absolute_labels,
    labels_that_act,
    a_label_of_many,
    a_label_beyond,
    a_line_without_end,
    list_of_a_pipe,
    list_of_devices,
    list_of_folders,
    binary_list,
    pattern_of_many_digits,
    pattern_of_many_zeros,
    location_of_many_parts,
    names_in_cifar,
)
