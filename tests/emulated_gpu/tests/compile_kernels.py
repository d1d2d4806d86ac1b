"""Compiles the tests' kernels to PTX with NVIDIA's NVRTC. Only needed where a kernel changes: the PTX is committed.

usage: python3 compile_kernels.py LIBNVRTC      (libnvrtc.so.12 of nvidia-cuda-nvrtc-cu12==12.4.127)
"""

import ctypes
import sys
from pathlib import Path

KERNELS = Path(__file__).resolve().parent / "kernels"
ARCHITECTURES = {"tensor": "compute_80"}


def compile_kernels(library):
    nvrtc = ctypes.CDLL(library)
    for source in sorted(KERNELS.glob("*.cu")):
        program, size = ctypes.c_void_p(), ctypes.c_size_t()
        nvrtc.nvrtcCreateProgram(ctypes.byref(program), source.read_bytes(), source.name.encode(), 0, None, None)
        options = [f"--gpu-architecture={ARCHITECTURES.get(source.stem, 'compute_70')}".encode(), b"--std=c++17"]
        failed = nvrtc.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*options))
        kind = "ProgramLog" if failed else "PTX"
        getattr(nvrtc, f"nvrtcGet{kind}Size")(program, ctypes.byref(size))
        text = ctypes.create_string_buffer(size.value)
        getattr(nvrtc, f"nvrtcGet{kind}")(program, text)
        if failed:
            sys.exit(text.value.decode())
        source.with_suffix(".ptx").write_bytes(text.value)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    compile_kernels(sys.argv[1])
