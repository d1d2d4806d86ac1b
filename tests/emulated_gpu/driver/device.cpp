#include "device.h"
#include "api.h"
#include <cstdio>
#include <cstring>

namespace gpu {
namespace {

// NVIDIA's numbers of the attributes that somebody asks for. All others are 0.
enum Attribute {
    MAX_THREADS_PER_BLOCK = 1, MAX_BLOCK_X = 2, MAX_BLOCK_Y = 3, MAX_BLOCK_Z = 4, MAX_GRID_X = 5, MAX_GRID_Y = 6,
    MAX_GRID_Z = 7, MAX_SHARED_PER_BLOCK = 8, TOTAL_CONSTANT_MEMORY = 9, WARP_SIZE = 10, MAX_REGISTERS_PER_BLOCK =
    12, CLOCK_RATE = 13, GPU_OVERLAP = 15, MULTIPROCESSORS = 16, CAN_MAP_HOST_MEMORY = 19, CONCURRENT_KERNELS = 31,
    PCI_BUS_ID = 33, MEMORY_CLOCK_RATE = 36, MEMORY_BUS_WIDTH = 37, L2_CACHE_SIZE = 38,
    MAX_THREADS_PER_MULTIPROCESSOR = 39, ASYNC_ENGINES = 40, UNIFIED_ADDRESSING = 41, CAPABILITY_MAJOR = 75,
    CAPABILITY_MINOR = 76, STREAM_PRIORITIES = 78, MAX_SHARED_PER_MULTIPROCESSOR = 81,
    MAX_REGISTERS_PER_MULTIPROCESSOR = 82, MANAGED_MEMORY = 83, CONCURRENT_MANAGED_ACCESS = 89,
    MAX_SHARED_ON_REQUEST = 97, HOST_REGISTER_SUPPORTED = 99, MAX_BLOCKS_PER_MULTIPROCESSOR = 106, RESERVED_SHARED =
    111, MEMORY_POOLS_SUPPORTED = 115,
};

int value_of(int attribute, int device) {
    switch (attribute) {
    case MAX_THREADS_PER_BLOCK: case MAX_BLOCK_X: case MAX_BLOCK_Y: case RESERVED_SHARED: return 1024;
    case MAX_BLOCK_Z: return 64;
    case MAX_GRID_X: return 2147483647;
    case MAX_GRID_Y: case MAX_GRID_Z: return 65535;
    case MAX_SHARED_PER_BLOCK: return SHARED_BYTES;
    case TOTAL_CONSTANT_MEMORY: case MAX_REGISTERS_PER_BLOCK: case MAX_REGISTERS_PER_MULTIPROCESSOR: return 65536;
    case WARP_SIZE: case MAX_BLOCKS_PER_MULTIPROCESSOR: return 32;
    case CLOCK_RATE: return 1410000;
    case MULTIPROCESSORS: return 4;
    case GPU_OVERLAP: case CAN_MAP_HOST_MEMORY: case CONCURRENT_KERNELS: case UNIFIED_ADDRESSING:
    case STREAM_PRIORITIES: case MANAGED_MEMORY: case CONCURRENT_MANAGED_ACCESS: case HOST_REGISTER_SUPPORTED: return 1;
    case PCI_BUS_ID: return device + 1;
    case MEMORY_CLOCK_RATE: return 1215000;
    case MEMORY_BUS_WIDTH: return 5120;
    case L2_CACHE_SIZE: return 40 << 20;
    case MAX_THREADS_PER_MULTIPROCESSOR: return 2048;
    case ASYNC_ENGINES: return 2;
    case CAPABILITY_MAJOR: return settings().capability / 10;
    case CAPABILITY_MINOR: return settings().capability % 10;
    case MAX_SHARED_PER_MULTIPROCESSOR: return shared_bytes_on_request() + 1024;
    case MAX_SHARED_ON_REQUEST: return shared_bytes_on_request();
    case MEMORY_POOLS_SUPPORTED: return settings().memory_pools;
    default: return 0;
    }
}

bool exists(int device) { return device >= 0 && device < device_count(); }

}  // namespace

int shared_bytes_on_request() {
    const int capability = settings().capability;
    if (capability >= 90) return 232448;
    if (capability == 80 || capability == 87) return 166912;
    if (capability >= 86) return 101376;
    return capability >= 75 ? 65536 : 98304;
}

}  // namespace gpu

using namespace gpu;

API int cuDriverGetVersion(int* version) {
    *version = settings().driver_version;
    return SUCCESS;
}

API int cuDeviceGetCount(int* count) {
    LOG_CALL("");
    if (!initialized()) return NOT_INITIALIZED;
    *count = device_count();
    return SUCCESS;
}

API int cuDeviceGet(int* device, int ordinal) {
    if (!initialized()) return NOT_INITIALIZED;
    if (!exists(ordinal)) return INVALID_DEVICE;
    *device = ordinal;
    return SUCCESS;
}

API int cuDeviceGetName(char* name, int bytes, int device) {
    if (!exists(device)) return INVALID_DEVICE;
    snprintf(name, size_t(bytes), "%s", settings().name.c_str());
    return SUCCESS;
}

API int cuDeviceTotalMem_v2(size_t* bytes, int device) {
    if (!exists(device)) return INVALID_DEVICE;
    *bytes = settings().memory;
    return SUCCESS;
}

API int cuDeviceGetUuid(unsigned char* uuid, int device) {
    if (!exists(device)) return INVALID_DEVICE;
    memset(uuid, 0, 16);
    memcpy(uuid, "emulated", 8);
    uuid[15] = static_cast<unsigned char>(device);
    return SUCCESS;
}

API int cuDeviceGetUuid_v2(unsigned char* uuid, int device) { return cuDeviceGetUuid(uuid, device); }

API int cuDeviceGetPCIBusId(char* text, int bytes, int device) {
    if (!exists(device)) return INVALID_DEVICE;
    snprintf(text, size_t(bytes), "0000:%02x:00.0", device + 1);
    return SUCCESS;
}

API int cuDeviceGetAttribute(int* value, int attribute, int device) {
    if (!initialized()) return NOT_INITIALIZED;
    if (!exists(device)) return INVALID_DEVICE;
    *value = value_of(attribute, device);
    return SUCCESS;
}

API int cuDeviceCanAccessPeer(int* can, int device, int peer) {
    if (!exists(device) || !exists(peer)) return INVALID_DEVICE;
    *can = device != peer && settings().peer_access;
    return SUCCESS;
}

// The real NVRTC asks the driver for private tables, and crashes where this function is missing.
API int cuGetExportTable(const void** table, const void*) {
    if (table) *table = nullptr;
    return NOT_FOUND;
}

API int cuProfilerStart() { return SUCCESS; }
API int cuProfilerStop() { return SUCCESS; }
