"""The program itself on this machine's GPU: losses, a run that is killed, its own measurements, real input, and the CPU beside it."""

import json
import os
import random
import signal
import struct
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
CUDA = 'compute.devices=["cuda:0"]'


def pipeline(*words, folder=None, limit=150):
    """What a command of the program prints."""
    ended = subprocess.run(
        [HERE / "pipeline", *map(str, words)], cwd=folder, capture_output=True, text=True, timeout=limit, check=False
    )
    if ended.returncode != 0:
        raise RuntimeError(f"pipeline {' '.join(map(str, words[:3]))}… ended with {ended.returncode}: {ended.stderr[-500:]}")
    return ended.stdout


def bench(device, model, *words):
    return json.loads(pipeline("bench", "compute", "--json", "--device", device, "--model", model, *words))


def run_devices(context):
    found = json.loads(pipeline("devices", "--json"))
    context.say(f"auto is {found['auto']}; {found['cpu']['cores']} cores, {found['cpu']['instructions']}")
    if found["auto"] != "cuda:0":
        context.fail(f"the program does not use the GPU: {found['no_gpu'] or found['gpus']}")
    return found


def run_losses(context):
    """Ten losses of two networks, twice on the GPU and once on the CPU, which sums in another order."""
    result = {}
    batches = {"alexnet-small": 4} if context.small else {"alexnet-small": 64, "alexnet": 128}
    for model, batch in batches.items():
        words = ["--batch", batch, "--warmup", 0, "--steps", 3 if context.small else 10]
        gpu, again = (bench("cuda:0", model, *words)["losses"] for _ in range(2))
        cpu = bench("cpu:0", model, *words, "--set", "compute.convolution=direct")["losses"]
        far = max(abs(a - b) / max(abs(b), 1e-9) for a, b in zip(gpu, cpu, strict=True))
        result[model] = {"gpu": gpu, "cpu": cpu, "largest difference": far}
        context.save(result)
        context.say(f"{model}: losses {gpu[0]:.6f} … {gpu[-1]:.6f}, at most {far:.1e} from the CPU's")
        if gpu != again:
            context.fail(f"{model}: other losses the second time")
        if not far < 1e-3:
            context.fail(f"{model}: losses are {far:.1e} from the CPU's")
    return result


def images(folder, each, side, classes=10):
    """Class folders of photographs that are none: a colour for each class, and noise."""
    rng = np.random.default_rng(1)
    for number in range(classes):
        colour = rng.integers(40, 216, 3)
        place = folder / f"class-{number}"
        place.mkdir(parents=True)
        for i in range(each):
            # Coarse noise and a little fine one: it packs like a photograph.
            coarse = rng.normal(0, 30, (side // 8 + 1, side // 8 + 1, 3)).repeat(8, 0).repeat(8, 1)[:side, :side]
            pixels = np.clip(colour + coarse + rng.normal(0, 4, (side, side, 3)), 0, 255).astype(np.uint8)
            (place / f"{i:04}.ppm").write_bytes(f"P6 {side} {side} 255\n".encode() + pixels.tobytes())


SMALL = """
[data]
train = "train"
val = "val"
[augment]
crop = 28
[staging]
batch = 32
[model]
preset = "alexnet-small"
[solver]
lr = 0.01
[checkpoint]
every_steps = 5
"""


def weights(run):
    """The bytes of the newest checkpoint's tensors, by name."""
    path = max((run / "checkpoints").glob("step-*.safetensors"))
    data = path.read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    head, body = json.loads(data[8 : 8 + size]), data[8 + size :]
    head.pop("__metadata__", None)
    tensors = {name: body[slice(*at["data_offsets"])] for name, at in head.items()}
    return path.name, {name: part for name, part in tensors.items() if name.endswith(("weight", "bias", "momentum"))}


def run_killed(context):
    """A run that is killed twice and resumed comes to the bits of one that is not; so does a second one."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        each = 6 if context.small else 64
        images(folder / "train", each, 40)
        images(folder / "val", max(2, each // 8), 40)
        (folder / "train.toml").write_text(SMALL)
        epochs = f"run.epochs={2 if context.small else 8}"

        def words(out, *more):
            return ["run", "train.toml", "--quiet", "--set", f"run.out={out}", "--set", epochs, "--set", CUDA, *more]

        begin = time.perf_counter()
        pipeline(*words("whole"), folder=folder)
        whole = time.perf_counter() - begin
        pipeline(*words("again"), folder=folder)
        kills = 0
        for _ in range(2):
            process = subprocess.Popen([HERE / "pipeline", *words("killed", "--resume")], cwd=folder, stderr=subprocess.DEVNULL)
            time.sleep(whole * random.uniform(0.3, 0.8))
            process.send_signal(signal.SIGKILL)
            kills += process.wait() == -signal.SIGKILL
        pipeline(*words("killed", "--resume"), folder=folder)
        first = weights(folder / "whole")
        for other in ("again", "killed"):
            if weights(folder / other) != first:
                context.fail(f"{other}: other weights")
        context.say(f"{first[0]}, {len(first[1])} tensors; {kills} kills; {whole:.1f} s")
        return {"checkpoint": first[0], "kills": kills, "seconds": whole}


def run_bench(context):
    """The program's own measurement of a step, by layer and direction."""
    result = {}
    cases = [("alexnet-small", 8)] if context.small else [("alexnet", 128), ("alexnet", 256), ("alexnet-small", 256)]
    for model, batch in cases:
        words = ["--batch", batch, "--warmup", 1 if context.small else 5, "--steps", 2 if context.small else 30]
        report = bench("cuda:0", model, *words)
        result[f"{model} {batch}"] = report
        context.save(result)
        flops = report["gflops"] / 1e3
        context.say(
            f"{model} at {batch}: {report['step_ms']:.3f} ms, {report['images_per_s']:.0f} images/s, {flops:.2f} TFLOP/s, "
            f"{100 * report['share_of_peak']:.0f} % of the peak"
        )
        slow = sorted(report["layers"], key=lambda row: -row["ms"])[:5]
        context.say("    " + ", ".join(f"{row['layer']} {row['direction']} {row['ms']:.3f}" for row in slow))
    return result


REAL = """
[run]
epochs = 1000
steps = {steps}
[data]
train = "pack"
[augment]
crop = 224
[staging]
batch = 128
slots = 6
[model]
preset = "alexnet"
classes = 10
[solver]
lr = 0.0001
[checkpoint]
every_steps = 100000
[observe]
line_every_steps = 1
"""


def run_input(context):
    """Real input beside input in memory: the share of the GPU's rate that a run from packed JPEGs reaches."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        images(folder / "source", 3 if context.small else 100, 64 if context.small else 256)
        pipeline("pack", "source", "--out", "pack", "--quiet", "--size", 64 if context.small else 256, folder=folder)
        (folder / "train.toml").write_text(REAL.format(steps=3 if context.small else 250))
        small = ["--set", "augment.crop=48", "--set", "staging.batch=4", "--set", "model.preset=alexnet-small"]
        words = ["--set", CUDA, *(small if context.small else [])]
        pipeline("run", "train.toml", "--quiet", "--set", "run.out=run", *words, folder=folder)
        lines = (folder / "run/metrics.jsonl").read_text().splitlines()
        steps = [event for event in map(json.loads, lines) if event["event"] == "step"]
        rates = [event["images_per_s"] for event in steps][len(steps) // 2 :]
        verdict = [event for event in map(json.loads, lines) if event["event"] == "verdict"]
        fed = json.loads(pipeline("bench", "input", "train.toml", "--json", "--epochs", 2, *words, folder=folder))
    rate = float(np.median(rates))
    context.say(f"a run from a pack: {rate:.0f} images/s; {verdict[-1].get('text') if verdict else ''}")
    memory = context.before("program bench", "alexnet 128", "images_per_s")
    if memory:
        context.say(f"that is {100 * rate / memory:.0f} % of the {memory:.0f} images/s with input in memory")
    context.say(f"the input alone: {fed['images_per_s']:.0f} images/s")
    return {"run": rate, "input": fed, "in memory": memory, "verdict": verdict[-1:]}


def run_cores(context):
    """The CPU device on 1, 2, 4, … threads."""
    result, one = {}, None
    most = os.cpu_count() or 1
    model, batch = ("alexnet-small", 8) if context.small else ("alexnet", 128)
    for threads in (1, 2, 4, 8, 16):
        if threads > most:
            break
        report = bench("cpu:0", model, "--batch", batch, "--threads", threads, "--steps", 2, "--warmup", 1)
        rate = report["images_per_s"]
        one = one or rate
        result[threads] = {"images/s": rate, "share of linear": rate / one / threads, "share of peak": report["share_of_peak"]}
        context.save(result)
        context.say(f"{threads:2} threads: {rate:.1f} images/s, {100 * rate / one / threads:.0f} % of linear")
    return result
