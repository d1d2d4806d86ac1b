"""The CUDA driver by ctypes: the same calls reach a GPU and the emulated driver.

    gpu = Device(folder_of_ptx)
    kernel = gpu.kernel("lrn", "lrn_forward")           # .registers, .local, .shared, .threads, as the driver made it
    kernel(grid, block, shared, y, x, struct("iif", 3, 4, 0.5))
"""

import ctypes as C
import re
import struct as packing
import time
from pathlib import Path

import numpy as np

U64, INT, UINT, FLOAT, SIZE = C.c_uint64, C.c_int, C.c_uint, C.c_float, C.c_size_t
POISON = 0xFF  # four of it are a NaN

# Some containers have the driver where the loader does not look.
LIBRARIES = ["libcuda.so.1", "/usr/local/nvidia/lib64/libcuda.so.1", "/usr/lib/x86_64-linux-gnu/libcuda.so.1"]


class CudaError(RuntimeError):
    pass


class Driver:
    """Its functions by name; a result that is an error is raised."""

    def __init__(self):
        failed = []
        for path in LIBRARIES:
            try:
                self.library = C.CDLL(path)
                return
            except OSError as error:
                failed.append(str(error))
        raise CudaError("no CUDA driver: " + "; ".join(failed))

    def __call__(self, name, *arguments):
        code = getattr(self.library, name)(*arguments)
        if code:
            raise CudaError(f"{name}: {self.explain(code)}")

    def explain(self, code):
        name, text = C.c_char_p(), C.c_char_p()
        self.library.cuGetErrorName(code, C.byref(name))
        self.library.cuGetErrorString(code, C.byref(text))
        return f"{(name.value or b'?').decode()} ({code}): {(text.value or b'?').decode()}"


def struct(kinds, *values):
    """A struct that a kernel takes by value: kinds as in Python's struct module, aligned as in C."""
    return packing.pack("@" + kinds, *values)


def three(extents):
    extents = tuple(extents) if isinstance(extents, (tuple, list)) else (extents,)
    return extents + (1,) * (3 - len(extents))


class Buffer:
    """Device memory."""

    def __init__(self, gpu, size):
        self.gpu, self.size = gpu, int(size)
        pointer = U64()
        gpu.cu("cuMemAlloc_v2", C.byref(pointer), SIZE(max(16, self.size)))
        self.pointer = pointer.value

    def put(self, array, at=0):
        array = np.ascontiguousarray(array)
        assert at + array.nbytes <= self.size
        if array.nbytes:
            self.gpu.cu("cuMemcpyHtoD_v2", U64(self.pointer + at), C.c_void_p(array.ctypes.data), SIZE(array.nbytes))
        return self

    def get(self, shape, dtype=np.float32, at=0):
        array = np.empty(shape, dtype)
        assert at + array.nbytes <= self.size
        self.gpu.synchronize()
        if array.nbytes:
            self.gpu.cu("cuMemcpyDtoH_v2", C.c_void_p(array.ctypes.data), U64(self.pointer + at), SIZE(array.nbytes))
        return array

    def fill(self, byte=POISON, at=0):
        self.gpu.cu("cuMemsetD8Async", U64(self.pointer + at), C.c_ubyte(byte), SIZE(self.size - at), self.gpu.stream)
        return self

    def copy_from(self, other, size, to=0):
        self.gpu.cu("cuMemcpyDtoDAsync_v2", U64(self.pointer + to), U64(other.pointer), SIZE(size), self.gpu.stream)
        return self

    def free(self):
        if self.pointer:
            self.gpu.synchronize()
            self.gpu.cu("cuMemFree_v2", U64(self.pointer))
            self.pointer = 0

    def __del__(self):
        try:
            self.free()
        except Exception:  # the context is gone, or has met an error that was reported
            pass


class Kernel:
    ATTRIBUTES = {"threads": 0, "shared": 1, "local": 3, "registers": 4}

    def __init__(self, gpu, module, name):
        self.gpu, self.name, self.handle = gpu, name, C.c_void_p()
        self.dynamic = 48 * 1024
        try:
            gpu.cu("cuModuleGetFunction", C.byref(self.handle), module.handle, name.encode())
        except CudaError as error:
            # An earlier launch that failed is reported here too: that is a mistake of a kernel, a name that is not there is none.
            if "NOT_FOUND" in str(error):
                raise RuntimeError(f"there is no kernel {name}") from error
            raise
        for key, number in self.ATTRIBUTES.items():
            value = INT()
            gpu.cu("cuFuncGetAttribute", C.byref(value), INT(number), self.handle)
            setattr(self, key, value.value)

    def prepared(self, grid, block, shared, *arguments):
        """A launch as a function: nothing is converted again when it is called. None is a null pointer."""
        if shared > self.dynamic:
            self.gpu.cu("cuFuncSetAttribute", self.handle, INT(8), INT(shared))
            self.dynamic = shared
        held = [self._argument(each) for each in arguments]
        pointers = (C.c_void_p * max(1, len(held)))(*(C.addressof(each) for each in held))
        numbers = [UINT(int(n)) for n in (*three(grid), *three(block), shared)]
        function, explain = self.gpu.cu.library.cuLaunchKernel, self.gpu.cu.explain

        def launch(stream=None, keep=(held, arguments)):
            code = function(self.handle, *numbers, stream or self.gpu.stream, pointers, None)
            if code:
                raise CudaError(f"launch of {self.name}, grid {three(grid)}, block {three(block)}: {explain(code)}")

        return launch

    @staticmethod
    def _argument(value):
        if isinstance(value, bytes):
            return C.create_string_buffer(value, len(value) + 16)  # the struct's end may be padding
        if value is None:
            return U64(0)
        if hasattr(value, "pointer"):
            return U64(value.pointer)
        if isinstance(value, float):
            return FLOAT(value)
        return INT(int(value)) if isinstance(value, (int, np.integer)) else value

    def __call__(self, grid, block, shared, *arguments):
        self.prepared(grid, block, shared, *arguments)()


class Module:
    """PTX, compiled by the driver in `seconds`."""

    def __init__(self, gpu, text):
        self.gpu, self.handle = gpu, C.c_void_p()
        log = C.create_string_buffer(16384)
        # CU_JIT_ERROR_LOG_BUFFER and its size in bytes.
        options, values = (INT * 2)(5, 6), (C.c_void_p * 2)(C.addressof(log), len(log))
        start = time.perf_counter()
        load = gpu.cu.library.cuModuleLoadDataEx
        code = load(C.byref(self.handle), text.encode() + b"\0", UINT(2), options, values)
        self.seconds = time.perf_counter() - start
        if code:
            # No mistake of a kernel.
            raise RuntimeError(f"cuModuleLoadDataEx: {gpu.cu.explain(code)} {log.value.decode(errors='replace')}")

    def kernel(self, name):
        return Kernel(self.gpu, self, name)


class Event:
    def __init__(self, gpu):
        self.gpu, self.handle = gpu, C.c_void_p()
        gpu.cu("cuEventCreate", C.byref(self.handle), UINT(0))

    def record(self, stream=None):
        self.gpu.cu("cuEventRecord", self.handle, stream or self.gpu.stream)
        return self

    def microseconds_since(self, start):
        """Waits for this event."""
        self.gpu.cu("cuEventSynchronize", self.handle)
        ms = FLOAT()
        self.gpu.cu("cuEventElapsedTime", C.byref(ms), start.handle, self.handle)
        return 1000 * ms.value

    def __del__(self):
        try:
            self.gpu.cu("cuEventDestroy_v2", self.handle)
        except Exception:  # as Buffer
            pass


class Device:
    """The first device, by its primary context, which PyTorch uses too.

    `chosen` is a pattern of the names of kernels, for tests that have a choice.
    """

    def __init__(self, ptx, chosen=""):
        self.ptx, self.chosen = Path(ptx), re.compile(chosen)
        self.texts, self.modules, self.kernels = {}, {}, {}
        self.stream = C.c_void_p(0)  # the default stream, which PyTorch uses too
        self.cu = Driver()
        self.cu("cuInit", UINT(0))
        self.device, self.context, version = INT(), C.c_void_p(), INT()
        self.cu("cuDeviceGet", C.byref(self.device), INT(0))
        self.cu("cuDevicePrimaryCtxRetain", C.byref(self.context), self.device)
        self.cu("cuCtxSetCurrent", self.context)
        self.cu("cuDriverGetVersion", C.byref(version))
        self.driver = version.value
        name = C.create_string_buffer(256)
        self.cu("cuDeviceGetName", name, INT(256), self.device)
        self.name = name.value.decode()
        self.multiprocessors, self.clock_khz = self.attribute(16), self.attribute(13)
        self.capability = (self.attribute(75), self.attribute(76))

    def attribute(self, number):
        value = INT()
        self.cu("cuDeviceGetAttribute", C.byref(value), INT(number), self.device)
        return value.value

    def text(self, file):
        if file not in self.texts:
            self.texts[file] = (self.ptx / f"{file}.ptx").read_text()
        return self.texts[file]

    def names(self, file):
        """Of the kernels of a file."""
        return re.findall(r"^\.visible \.entry (\w+)\(", self.text(file), re.MULTILINE)

    def module(self, file):
        if file not in self.modules:
            self.modules[file] = Module(self, self.text(file))
        return self.modules[file]

    def kernel(self, file, name):
        if (file, name) not in self.kernels:
            self.kernels[file, name] = self.module(file).kernel(name)
        return self.kernels[file, name]

    def buffer(self, size):
        return Buffer(self, size)

    def poisoned(self, size):
        return Buffer(self, size).fill()

    def put(self, array):
        array = np.ascontiguousarray(array)
        return Buffer(self, array.nbytes).put(array)

    def event(self):
        return Event(self)

    def new_stream(self):
        stream = C.c_void_p()
        self.cu("cuStreamCreate", C.byref(stream), UINT(1))  # not ordered with the default stream
        return stream

    def synchronize(self):
        self.cu("cuCtxSynchronize")
