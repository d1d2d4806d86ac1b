"""Tars of class folders and WebDataset shards."""

import tarfile

from ..pictures import CLASSES, tar_of
from .made import Made, good_png
from .names import NAMES

END = 1024


def _members(each=3):
    return [(f"{name}/{i:03}.png", good_png(i)) for name in CLASSES for i in range(each)]


def _tar(folder, data, name="data.tar", **more):
    (folder / name).write_bytes(data)
    return Made(name, **more)


def _bare(members=None):
    """A tar without Python's zero padding, except for the two blocks at its end."""
    data = tar_of(members or _members())
    return data.rstrip(b"\0").ljust(-(-len(data.rstrip(b"\0")) // 512) * 512, b"\0") + bytes(END)


def cut_at_a_member(folder):
    return _tar(folder, _bare()[: 512 * 12], refused=True)


def cut_in_a_member(folder):
    data = _bare()
    return _tar(folder, data[: len(data) - END - 700], refused=True)


def cut_at_the_end(folder):
    return _tar(folder, _bare()[:-END], refused=True)


def half_an_end(folder):
    return _tar(folder, _bare()[: -END // 2])


def joined(folder):
    return _tar(folder, _bare() + _bare([(f"{name}/x.png", good_png()) for name in CLASSES]), refused=True)


def hole_of_zeros(folder):
    """A download whose middle is missing: whole blocks of zeros where a header should be."""
    data = bytearray(_bare())
    # In the middle: a hole that reaches to the end of the archive looks like its end.
    at = data.index(f"{sorted(CLASSES)[0]}/001.png".encode())
    data[at : at + 2048] = bytes(2048)
    return _tar(folder, bytes(data), refused=True)


def garbage_behind(folder):
    return _tar(folder, _bare() + b"garbage" * 1000, refused=True)


def filled_up(folder):
    """As GNU tar writes it, in records of 10,240 bytes: zeros after the end are not damage."""
    data = _bare()
    return _tar(folder, data + bytes(-len(data) % 10240), images_found=9)


def empty_tar(folder):
    return _tar(folder, b"", refused=True)


def only_zeros(folder):
    return _tar(folder, bytes(10240), refused=True)


def _link(name, kind, target):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def hard_links(folder):
    members = _members(2) + [_link(f"{name}/link.png", tarfile.LNKTYPE, f"{name}/000.png") for name in CLASSES]
    return _tar(folder, tar_of(members), images_found=9)


def a_class_of_links(folder):
    members = _members(2) + [_link(f"linked/{i}.png", tarfile.LNKTYPE, f"sky/00{i}.png") for i in range(2)]
    return _tar(folder, tar_of(members), images_found=8)


def links_that_lead_outside(folder):
    members = _members(2) + [
        _link("sky/a.png", tarfile.LNKTYPE, "../../canary.png"),
        _link("sky/b.png", tarfile.SYMTYPE, "/etc/passwd"),
        _link("sky/c.png", tarfile.LNKTYPE, "sky/c.png"),
        _link("sky/d.png", tarfile.LNKTYPE, "nowhere"),
    ]
    return _tar(folder, tar_of(members))


def devices_in_a_tar(folder):
    members = _members(2) + [
        _link("sky/a.png", kind, "") for kind in (tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE)
    ]
    return _tar(folder, tar_of(members))


def names_in_a_tar(folder):
    members = _members(2)
    members += [(f"sky/{name.decode('utf-8')}.png", b"damaged") for name in NAMES]
    return _tar(folder, tar_of(members, tarfile.PAX_FORMAT))


def classes_in_a_tar(folder):
    members = [
        (f"{name.decode('utf-8')}/{i}.png", good_png() if i else b"damaged") for name in NAMES[:18] for i in (0, 1)
    ]
    return _tar(folder, tar_of(members))


def paths_in_a_tar(folder):
    members = _members(2) + [("../" * up + "canary/x.png", b"damaged") for up in range(1, 7)]
    return _tar(folder, tar_of(members), refused=True)


def absolute_paths_in_a_tar(folder):
    members = _members(2) + [(f"{folder}/canary/x.png", b"damaged")]
    return _tar(folder, tar_of(members), refused=True)


def paths_in_pax_headers(folder):
    info = tarfile.TarInfo("sky/y.png")
    info.pax_headers = {"path": "../../canary/x.png", "size": "18446744073709551615"}
    return _tar(folder, tar_of([*_members(2), info], tarfile.PAX_FORMAT), refused=True)


def sizes_that_lie(folder):
    data = bytearray(_bare())
    at = data.index(b"sky/001.png") + 124
    # Base 256, the largest value.
    data[at : at + 12] = b"\x80" + b"\xff" * 11
    header = at - 124
    data[header + 148 : header + 156] = b" " * 8
    data[header + 148 : header + 156] = b"%06o\0 " % sum(data[header : header + 512])
    return _tar(folder, bytes(data), refused=True)


def _shard(classes, keys=None):
    members = []
    for i, label in enumerate(classes):
        key = keys[i] if keys else f"{i:04}"
        members += [
            (f"{key}.png", good_png(i) if i % 3 else b"damaged"),
            (f"{key}.cls", label.encode("utf-8", "surrogateescape")),
        ]
    return tar_of(members, tarfile.PAX_FORMAT)


def _shards(folder, *shards, **more):
    (folder / "data").mkdir()
    for i, data in enumerate(shards):
        (folder / "data" / f"x-{i:06}.tar").write_bytes(data)
    return Made("data", **more)


def empty_shard(folder):
    return _shards(folder, _shard(["0", "1"]), b"", refused=True)


def cut_shard(folder):
    whole = _shard(["0", "1", "0", "1"]).rstrip(b"\0")
    return _shards(folder, _shard(["0", "1"]), whole[: len(whole) // 1024 * 512], refused=True)


def classes_that_are_paths(folder):
    return _shards(folder, _shard(["..", "../../canary", f"{folder}/canary", ".", "sky"]), refused=True)


def a_class_of_dots(folder):
    return _shards(folder, _shard(["..", "sky", ".."]), refused=True)


def classes_that_act(folder):
    return _shards(folder, _shard([name.decode("utf-8") for name in NAMES[:12]] * 2))


def class_numbers(folder):
    return _shards(folder, _shard(["0", "4294967295", "99999"]))


def keys_that_are_paths(folder):
    return _shards(folder, _shard(["0", "1", "0"], ["../a", "../../../../canary/b", "c"]), refused=True)


def keys_that_act(folder):
    return _shards(folder, _shard(["0", "1"] * 9, [f"k{i}/{NAMES[i].decode('utf-8')}" for i in range(18)]))


SETS = (
    cut_at_a_member,
    cut_in_a_member,
    cut_at_the_end,
    half_an_end,
    joined,
    hole_of_zeros,
    garbage_behind,
    filled_up,
    empty_tar,
    only_zeros,
    hard_links,
    a_class_of_links,
    links_that_lead_outside,
    devices_in_a_tar,
    names_in_a_tar,
    classes_in_a_tar,
    paths_in_a_tar,
    absolute_paths_in_a_tar,
    paths_in_pax_headers,
    sizes_that_lie,
    empty_shard,
    cut_shard,
    classes_that_are_paths,
    a_class_of_dots,
    classes_that_act,
    class_numbers,
    keys_that_are_paths,
    keys_that_act,
)
