"""Class folders: names, links, and entries that are not files."""

import os
import random
import socket

from .. import pictures
from .made import Made, good_images, good_png

# Text on which a terminal, a web page, a shell or a path would act.
NAMES = (
    b"esc\x1b[2J\x1b[31m",
    b"bel\x07",
    b"line\nFORGED line",
    b"return\rFORGED",
    b"tab\t",
    b"csi\xc2\x9b31m",
    b"del\x7f",
    "rtl\u202egpj".encode(),
    "isolate\u2066x\u2069".encode(),
    "separator\u2028FORGED".encode(),
    b"<script>alert(1)<",
    b"'\"><img src=x onerror=y>",
    b"&amp;&lt;",
    b"$(touch canary) `id`",
    b"-rf --help",
    b"..jpg",
    b"...",
    b"%s%n%x",
    b"\\..\\..\\x",
    b"a=b,c;d",
    b"n" * 250,
    "\U0001f431\u0301".encode(),
)


def _files(folder, names):
    for i, name in enumerate(names):
        for directory in pictures.CLASSES:
            path = os.path.join(bytes(folder / directory), name[:250] + b".png")
            with open(path, "wb") as file:
                file.write(good_png(i) if i % 3 else b"\x89PNG\r\n\x1a\n damaged")


def names_of_files(folder):
    good_images(folder / "data")
    _files(folder / "data", NAMES)
    images = [os.fsdecode(os.path.join(b"data/sky", name[:250] + b".png")) for name in NAMES]
    return Made("data", images)


def names_of_classes(folder):
    for i, name in enumerate(NAMES):
        if name.startswith(b"."):
            continue
        path = os.path.join(bytes(folder), b"data", name)
        os.makedirs(path)
        for number in range(2):
            with open(os.path.join(path, b"%d.png" % number), "wb") as file:
                file.write(good_png(i) if number else b"damaged")
    return Made("data")


def name_of_the_set(folder):
    location = "da\x1b[2Jta\nFORGED"
    good_images(folder / location)
    (folder / location / "sky" / "x.png").write_bytes(b"damaged")
    return Made(location, [f"{location}/sky/x.png"])


def not_utf_8_file(folder):
    good_images(folder / "data")
    with open(os.path.join(bytes(folder / "data"), b"sky", b"\xff\xfe.png"), "wb") as file:
        file.write(good_png())
    return Made("data", [os.fsdecode(b"data/sky/\xff\xfe.png")])


def not_utf_8_class(folder):
    good_images(folder / "data")
    path = os.path.join(bytes(folder / "data"), b"\x1b\xff")
    os.mkdir(path)
    return Made("data")


def dead_link(folder):
    good_images(folder / "data")
    (folder / "data" / "sky" / "x\x1b[2J.png").symlink_to("nowhere")
    return Made("data")


def looping_links(folder):
    good_images(folder / "data")
    (folder / "data" / "sky" / "loop").symlink_to(".")
    return Made("data")


def loop_to_the_top(folder):
    good_images(folder / "data")
    (folder / "data" / "all").symlink_to("..")
    return Made("data")


def link_to_itself(folder):
    good_images(folder / "data")
    (folder / "data" / "sky" / "self.png").symlink_to("self.png")
    return Made("data")


def links_outside(folder):
    """The target of a link may be read, as everywhere, but not written to."""
    good_images(folder / "data")
    (folder / "canary.png").write_bytes(b"damaged, and another's")
    (folder / "data" / "sky" / "x.png").symlink_to("../../canary.png")
    return Made("data")


def pipes_and_sockets(folder):
    good_images(folder / "data")
    os.mkfifo(folder / "data" / "sky" / "pipe.png")
    here = os.getcwd()
    listener = socket.socket(socket.AF_UNIX)
    try:
        # A socket's path has at most 107 bytes.
        descriptor = os.open(folder / "data" / "sky", os.O_RDONLY)
        listener.bind(f"/proc/self/fd/{descriptor}/socket.png")
        os.close(descriptor)
    finally:
        listener.close()
        os.chdir(here)
    # Not the pipe: naming it means waiting for its data.
    return Made("data", ["data/sky/socket.png"])


def devices(folder):
    good_images(folder / "data")
    for name, target in (("zero.png", "/dev/zero"), ("full.png", "/dev/full"), ("random.jpg", "/dev/urandom")):
        (folder / "data" / "sky" / name).symlink_to(target)
    return Made("data", ["data/sky/zero.png", "data/sky/random.jpg"])


def folder_called_an_image(folder):
    good_images(folder / "data")
    (folder / "data" / "sky" / "x.png").mkdir()
    (folder / "data" / "sky" / "x.png" / "y.png").write_bytes(b"")
    return Made("data", ["data/sky/x.png"])


def unreadable(folder):
    good_images(folder / "data")
    (folder / "data" / "sky" / "000.png").chmod(0)
    (folder / "data" / "grass").chmod(0)
    return Made("data", ["data/sky/000.png"])


def deep(folder):
    good_images(folder / "data")
    path = folder / "data" / "sky" / "/".join("d" * 40)
    path.mkdir(parents=True)
    (path / "x.png").write_bytes(good_png())
    return Made("data")


def empty_files(folder):
    good_images(folder / "data")
    for i, contents in enumerate((b"", b"\0", b"\xff", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"P6 ", b"P6\n1 1\n255\n")):
        (folder / "data" / "sky" / f"x{i}.jpg").write_bytes(contents)
    return Made("data", [f"data/sky/x{i}.jpg" for i in range(7)])


def random_names(folder, seed=0):
    """Names of random bytes, a different set for each seed."""
    draw = random.Random(f"names {seed}")
    good_images(folder / "data")
    for _ in range(12):
        word = bytes(
            draw.choice(b"ab.\x1b\n\t<>&'\"\x7f\x9b\xc2\xe2\x80\xae\xff %$\\-_") for _ in range(draw.randint(1, 40))
        )
        kind = draw.choice([".png", ".jpg", ".JPEG", ""]).encode()
        path = os.path.join(bytes(folder / "data"), draw.choice([b"sky", b"grass", word]))
        os.makedirs(path, exist_ok=True)
        with open(os.path.join(path, b"n" + word + kind), "wb") as file:
            file.write(draw.choice([good_png(), b"damaged", b""]))
    return Made("data")


SETS = (
    names_of_files,
    names_of_classes,
    name_of_the_set,
    not_utf_8_file,
    not_utf_8_class,
    dead_link,
    looping_links,
    loop_to_the_top,
    link_to_itself,
    links_outside,
    pipes_and_sockets,
    devices,
    folder_called_an_image,
    unreadable,
    deep,
    empty_files,
)
