"""The basis of all trials: data sets, a configuration, and their results without interference."""

import shutil
import tarfile
from pathlib import Path

from . import outcome, pictures, process

TOML = """[run]
out = "run"
seed = 7
epochs = 3
on_bad_image = "skip"

[data]
train = "DIR/train"
val = "DIR/val"
cache = "cache"

[augment]
crop = 24
mean = "channel"
std = [64.0, 64.0, 64.0]
pca = { sigma = 0.1 }

[staging]
batch = 4
slots = 2

[compute]
threads = 1

[model]
layers = [
  { type = "conv", name = "conv1", channels = 6, kernel = 5, stride = 3, init = "he" },
  { type = "relu" },
  { type = "dropout", p = 0.1 },
  { type = "fc", name = "fc2", init = "fan_in" },
]

[solver]
lr = 0.01

[checkpoint]
every_steps = 2
"""

# Results are reproducible, so every run must produce the same folder.
REPEATS = 2


class Ground:
    """The folder that holds everything, and the program."""

    def __init__(self, folder, binary):
        self.folder, self.binary = folder, binary
        self.toml = folder / "train.toml"
        self._images()
        self.toml.write_text(TOML.replace("DIR", str(folder)))
        self.run = self._twice("run", ["run", self.toml], outcome.run_differs, keep=("run", "cache"))
        self.packs = {
            mode: self._twice(f"pack-{mode}", self.pack_words(mode), outcome.tree_differs, keep=("pack",))
            for mode in ("jpeg", "raw", "passthrough")
        }
        self.exported = self._twice("export", self.export_words(), outcome.tree_differs, keep=("exported",))

    def words(self, *words):
        return [self.binary, *words]

    def pack_words(self, mode):
        sized = [] if mode == "passthrough" else ["--size", "32"]
        return [
            "pack",
            self.folder / "train",
            "--out",
            "pack",
            "--mode",
            mode,
            *sized,
            "--per-shard",
            "4",
            "--on-bad-image",
            "skip",
            "--workers",
            "2",
        ]

    def export_words(self):
        return ["export", self.folder / "train", "--out", "exported"]

    def _images(self):
        """JPEGs and one PNG per class, made by the program itself; one image is damaged."""
        made = self.folder / "made"
        pictures.class_folders(made, 8)
        self._must(["pack", made, "--out", "jpegs", "--in-order", "--quality", "90", "--size", "40"], self.folder)
        for shard in sorted((self.folder / "jpegs").glob("*.tar")):
            with tarfile.open(shard) as tar:
                for member in tar.getmembers():
                    if not member.name.endswith(".jpg"):
                        continue
                    part = "train" if int(Path(member.name).stem) < 6 else "val"
                    path = self.folder / part / member.name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(tar.extractfile(member).read())
        for name in pictures.CLASSES:
            (self.folder / "train" / name / "000.jpg").unlink()
            shutil.copy(made / name / "000.png", self.folder / "train" / name / "000.png")
        damaged = self.folder / "train" / "grass" / "003.jpg"
        damaged.write_bytes(damaged.read_bytes()[:500])
        self.image = self.folder / "val" / "brick" / "006.jpg"

    def _must(self, words, folder):
        ended = process.run(self.words(*words), folder)
        if ended.code != 0:
            raise SystemExit(f"{' '.join(map(str, words))}\n{ended.how()}")
        return ended

    def _twice(self, name, words, differs, keep):
        """The result of a command in its own folder. Run twice, it must be the same."""
        folders = [self.folder / f"{name}-{i}" for i in range(REPEATS)]
        for folder in folders:
            folder.mkdir()
            self._must(words, folder)
        first, second = (folder / keep[0] for folder in folders)
        difference = differs(second, first)
        if difference:
            raise SystemExit(f"{' '.join(map(str, words))} gives different results each time: {difference}")
        shutil.rmtree(folders[1])
        return first
