"""What a part is given, and what it leaves."""

import json
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


class Absent(Exception):
    """What a part needs is not installed."""


class Context:
    """What a part is given."""

    def __init__(self, result, report, small):
        self.folder, self.ptx, self.small = HERE, HERE / "ptx", small
        self.path, self.report = result, report
        self.found = {"failures": [], "result": None}
        self.start = time.perf_counter()

    def say(self, text):
        print(f"[{time.perf_counter() - self.start:5.1f}] {text}", flush=True)

    def save(self, result):
        """Keeps what is known, if the part does not come to its end."""
        self.found["result"] = result
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(self.found, ensure_ascii=False))
        new.replace(self.path)

    def fail(self, text):
        """Something that does not end the part."""
        self.found["failures"].append(text)
        self.say(f"!! {text}")
        self.save(self.found["result"])

    def before(self, part, *keys):
        """What an earlier part found, or None."""
        found = self.report["parts"].get(part, {}).get("result")
        for key in keys:
            found = (found or {}).get(key)
        return found

    def device(self):
        from device import Device

        return Device(self.ptx)

    def torch(self):
        try:
            import torch
        except ImportError:
            raise Absent("PyTorch is not installed") from None
        if not self.small and not torch.cuda.is_available():
            raise Absent("PyTorch has no GPU")
        torch.backends.cudnn.benchmark = True
        return torch

    @property
    def torch_device(self):
        """The emulated driver is not enough for PyTorch."""
        return "cpu" if self.small else "cuda"
