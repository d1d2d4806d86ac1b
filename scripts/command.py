"""Shared by the scripts that measure and compare."""

import json
import subprocess
import sys


def run(*command):
    """Runs a command that prints a JSON object as its last line."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\nended with {done.returncode}:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])
