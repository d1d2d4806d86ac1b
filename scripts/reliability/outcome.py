"""What a run or a pack has come to, read from its files, and how it differs from another."""

import hashlib
import json
import struct
from pathlib import Path

# What of an event does not depend on how fast the machine is.
TIMES = ("elapsed_s", "images_per_s")


def files(folder):
    """All files below a folder, by their paths in it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def steps(folder):
    """The steps of the whole checkpoints (not of weights alone) in a run's folder, lowest first."""
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
    """The events of these kinds, without times, in an order of their own."""
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
    """How the finished run in `folder` differs from `reference`, which nothing interrupted; nothing where it
    does not. `but` names files that need not be the same; `left` says of which names there may be more
    files."""
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
    """What lies in a folder: kinds, sizes, times and contents, but for what is below the paths of `but`."""
    seen = {}
    for path in sorted(folder.rglob("*")):
        if any(path == other or other in path.parents for other in but):
            continue
        status = path.lstat()
        content = None
        if path.is_file() and not path.is_symlink() and status.st_size < 1 << 20 and status.st_mode & 0o400:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        # A folder's time changes with what comes and goes in it: that is seen at its entries.
        time = 0 if path.is_dir() else status.st_mtime_ns
        seen[str(path.relative_to(folder))] = (status.st_mode, 0 if path.is_dir() else status.st_size, time, content)
    return seen
