"""The CUDA driver API for the tests, as a program sees it: by its functions alone."""

import ctypes
from array import array
from ctypes import byref, c_float, c_int, c_size_t, c_uint64, c_void_p

driver = ctypes.CDLL("libcuda.so.1")
NON_BLOCKING = 1
ERRORS = {
    "INVALID_VALUE": 1,
    "OUT_OF_MEMORY": 2,
    "NO_DEVICE": 100,
    "NO_BINARY_FOR_GPU": 209,
    "INVALID_PTX": 218,
    "UNSUPPORTED_PTX_VERSION": 222,
    "NOT_READY": 600,
    "ILLEGAL_ADDRESS": 700,
    "LAUNCH_OUT_OF_RESOURCES": 701,
    "ASSERT": 710,
    "HOST_MEMORY_ALREADY_REGISTERED": 712,
    "MISALIGNED_ADDRESS": 716,
    "LAUNCH_FAILED": 719,
    "STREAM_CAPTURE_UNSUPPORTED": 900,
    "STREAM_CAPTURE_INVALIDATED": 901,
    "STREAM_CAPTURE_UNJOINED": 904,
    "STREAM_CAPTURE_ISOLATION": 905,
    "CAPTURED_EVENT": 907,
    "UNKNOWN": 999,
}


class CudaError(Exception):
    def __init__(self, function, result):
        name = ctypes.c_char_p()
        driver.cuGetErrorName(result, byref(name))
        super().__init__(f"{function}: {(name.value or b'?').decode()}")
        self.result = result


def call(function, *arguments):
    result = getattr(driver, function)(*arguments)
    if result != 0:
        raise CudaError(function, result)


class Memory:
    """A piece of device memory."""

    def __init__(self, gpu, bytes_):
        self.gpu, self.bytes = gpu, bytes_
        address = c_uint64()
        call("cuMemAlloc_v2", byref(address), c_size_t(bytes_))
        self.address = address.value

    def write(self, values, stream=None):
        """Of an array; waits."""
        values = as_array(values)
        call(
            "cuMemcpyHtoDAsync_v2",
            c_uint64(self.address),
            c_void_p(values.buffer_info()[0]),
            c_size_t(len(values) * values.itemsize),
            stream,
        )
        call("cuStreamSynchronize", stream)
        return self

    def read(self, kind="f", stream=None):
        values = array(kind, bytes(self.bytes))
        call(
            "cuMemcpyDtoHAsync_v2",
            c_void_p(values.buffer_info()[0]),
            c_uint64(self.address),
            c_size_t(self.bytes),
            stream,
        )
        return values.tolist()

    def free(self):
        call("cuMemFree_v2", c_uint64(self.address))


class Pinned:
    """Page-locked host memory, as floats or other numbers."""

    def __init__(self, count, kind="f"):
        itemsize = array(kind).itemsize
        self.pointer = c_void_p()
        self.bytes = count * itemsize
        call("cuMemHostAlloc", byref(self.pointer), c_size_t(self.bytes), 0)
        ctype = {"f": c_float, "i": c_int, "I": ctypes.c_uint32}[kind]
        self.values = (ctype * count).from_address(self.pointer.value)


class Gpu:
    """A device with its primary context, current in this thread."""

    def __init__(self, number=0):
        call("cuInit", 0)
        device = c_int()
        call("cuDeviceGet", byref(device), number)
        self.number, self.context = device.value, c_void_p()
        call("cuDevicePrimaryCtxRetain", byref(self.context), device)
        self.use()

    def use(self):
        call("cuCtxSetCurrent", self.context)
        return self

    def memory(self, bytes_):
        return Memory(self, bytes_)

    def floats(self, values):
        return Memory(self, 4 * len(values)).write(values)

    def stream(self):
        stream = c_void_p()
        call("cuStreamCreate", byref(stream), NON_BLOCKING)
        return stream

    def event(self):
        event = c_void_p()
        call("cuEventCreate", byref(event), 0)
        return event

    def module(self, ptx):
        return Module(ptx)


class Module:
    def __init__(self, ptx):
        self.handle = c_void_p()
        call("cuModuleLoadData", byref(self.handle), ptx.encode() + b"\0")

    def function(self, name):
        handle = c_void_p()
        call("cuModuleGetFunction", byref(handle), self.handle, name.encode())
        return handle


def launch(function, grid, block, *arguments, stream=None, shared=0):
    """`arguments` are ctypes numbers; memory is passed as its address, and int and float as 32-bit numbers."""
    held = [_argument(each) for each in arguments]
    pointers = (c_void_p * len(held))(*(ctypes.cast(ctypes.pointer(each), c_void_p) for each in held))
    grid, block = _three(grid), _three(block)
    call("cuLaunchKernel", function, *grid, *block, shared, stream, pointers, None)


def _argument(value):
    if isinstance(value, Memory):
        return c_uint64(value.address)
    if isinstance(value, float):
        return c_float(value)
    return c_int(value) if isinstance(value, int) else value


def _three(extents):
    extents = (extents,) if isinstance(extents, int) else tuple(extents)
    return extents + (1,) * (3 - len(extents))


def as_array(values):
    return values if isinstance(values, array) else array("f", values)


def copy_in(memory, pinned, stream):
    call("cuMemcpyHtoDAsync_v2", c_uint64(memory.address), pinned.pointer, c_size_t(pinned.bytes), stream)


def copy_out(pinned, memory, stream):
    call("cuMemcpyDtoHAsync_v2", pinned.pointer, c_uint64(memory.address), c_size_t(pinned.bytes), stream)


def synchronize(stream=None):
    call("cuStreamSynchronize", stream)
