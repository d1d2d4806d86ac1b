"""The results of a run or a pack, read from its files, and how two of them differ."""

import hashlib
import json
import struct
from pathlib import Path

# The fields of an event that depend on the speed of the machine.
TIMES = ("elapsed_s", "images_per_s")


def files(folder):
    """All files below a folder, by their paths in it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def steps(folder):
    """The steps of the full checkpoints (not of weights alone) in a run's folder, in ascending order."""
    found = (path.name.split(".") for path in Path(folder, "checkpoints").glob("step-*.safetensors"))
    return sorted(int(parts[0].split("-")[1]) for parts in found if len(parts) == 2)


def parts_of(checkpoint):
    """Names and contents of a checkpoint's tensors, and its state."""
    (length,) = struct.unpack("<Q", checkpoint[:8])
    header = json.loads(checkpoint[8 : 8 + length])
    parts = {}
    for name, tensor in header.items():
        if name == "__metadata__":
            parts["the state"] = json.dumps(tensor, sort_keys=True)
        else:
            begin, end = (8 + length + at for at in tensor["data_offsets"])
            parts[name] = checkpoint[begin:end]
    return parts


def unlike(a, b):
    """Which parts of two checkpoints differ."""
    try:
        a, b = parts_of(a), parts_of(b)
    except (ValueError, KeyError, struct.error):
        return "one of them is damaged"
    return ", ".join(name for name in sorted(a.keys() | b.keys()) if a.get(name) != b.get(name)) or "only the header"


def events(text, kinds=("step", "eval", "skip")):
    """The events of these kinds, without times, in sorted order."""
    found = []
    for line in text.decode("utf-8", "replace").splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            found.append(f"damaged line {line[:60]!r}")
            continue
        if isinstance(event, dict) and event.get("event") in kinds:
            found.append(json.dumps({key: event[key] for key in event if key not in TIMES}, sort_keys=True))
    return sorted(found)


def run_differs(folder, reference, but=(), left=lambda name: False):
    """How the finished run in `folder` differs from the uninterrupted `reference`; None if it does not. Files named in `but`
    may differ. `left` tells whether an extra file of a given name is permitted."""
    here, there = files(folder), files(reference)
    here = {name: data for name, data in here.items() if name in there or not left(name)}
    names = sorted(here.keys() ^ there.keys())
    if names:
        return (
            f"files that only one of both has: {[(name, 'left over' if name in here else 'missing') for name in names]}"
        )
    for name in here:
        if name in but:
            continue
        if name.startswith("checkpoints/") and here[name] != there[name]:
            how = unlike(here[name], there[name]) if name.endswith(".safetensors") else f"{here[name]!r}"
            return f"{name} differs: {how}"
        if name == "metrics.jsonl" and events(here[name]) != events(there[name]):
            a, b = events(here[name]), events(there[name])
            more = [event for event in a if a.count(event) > b.count(event)]
            less = [event for event in b if b.count(event) > a.count(event)]
            return f"extra events: {len(more)} {more[:2]}, missing events: {len(less)} {less[:2]}"
        if name == "report.html" and b"The run is complete." not in here[name]:
            return "report.html does not say that the run is complete"
        if name == "config.toml" and here[name] != there[name]:
            return "config.toml differs"
    return None


def tree_differs(folder, reference):
    """How two folders differ, byte for byte."""
    here, there = files(folder), files(reference)
    names = sorted(here.keys() ^ there.keys())
    if names:
        return (
            f"files that only one of both has: {[(name, 'left over' if name in here else 'missing') for name in names]}"
        )
    differ = [name for name in here if here[name] != there[name]]
    return f"these files differ: {differ}" if differ else None


def snapshot(folder, but=()):
    """The contents of a folder: kinds, sizes, times and data of all entries, except those at or below the paths in `but`."""
    seen = {}
    for path in sorted(folder.rglob("*")):
        if any(path == other or other in path.parents for other in but):
            continue
        status = path.lstat()
        content = None
        if path.is_file() and not path.is_symlink() and status.st_size < 1 << 20 and status.st_mode & 0o400:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        # A folder's time changes when entries are added or removed; the entries themselves show that.
        time = 0 if path.is_dir() else status.st_mtime_ns
        seen[str(path.relative_to(folder))] = (status.st_mode, 0 if path.is_dir() else status.st_size, time, content)
    return seen
