// Functions of modules and their functions.
#include "api.h"
#include "device.h"
#include "module.h"
#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>

namespace gpu {
namespace {

// NVIDIA's numbers of a function's attributes.
enum Attribute {
    MAX_THREADS = 0,
    STATIC_SHARED = 1,
    CONSTANT = 2,
    LOCAL = 3,
    REGISTERS = 4,
    PTX_VERSION = 5,
    BINARY_VERSION = 6,
    MAX_DYNAMIC_SHARED = 8,
    PREFERRED_CARVEOUT = 9,
};

uint32_t most_threads(const Function& function) {
    return function.program->max_threads ? function.program->max_threads : 1024;
}

}  // namespace
}  // namespace gpu

using namespace gpu;

API int cuModuleLoadData(LoadedModule** module, const void* image) {
    CURRENT_CONTEXT
    LOG_CALL("gpu=%d", context->device);
    if (memcmp(image,
               "\x7f"
               "ELF",
               4) == 0) {
        complain("a cubin cannot be emulated: load PTX");
        return NOT_SUPPORTED;
    }
    std::unique_ptr<LoadedModule> loaded;
    const int error = load(loaded, (const char*)image, *context);
    if (!error) *module = loaded.release();
    return error;
}

API int cuModuleLoadDataEx(LoadedModule** module, const void* image, unsigned, void*, void*) {
    return cuModuleLoadData(module, image);
}

API int cuModuleLoad(LoadedModule** module, const char* path) {
    std::ifstream file(path);
    if (!file) return FILE_NOT_FOUND;
    std::ostringstream text;
    text << file.rdbuf();
    return cuModuleLoadData(module, text.str().c_str());
}

API int cuModuleUnload(LoadedModule* module) {
    CURRENT_CONTEXT
    LOG_CALL("gpu=%d", context->device);
    auto lock = Scheduler::get().lock();
    finish(lock, *context);
    unload(*module);
    delete module;
    return SUCCESS;
}

API int cuModuleGetFunction(Function** function, LoadedModule* module, const char* name) {
    CURRENT_CONTEXT
    auto lock = Scheduler::get().lock();
    auto& found = module->functions[name];
    for (const auto& program : module->programs)
        if (!found && program->name == name) found = std::make_unique<Function>(Function{program.get(), module});
    *function = found.get();
    return found ? SUCCESS : NOT_FOUND;
}

API int cuModuleGetGlobal_v2(uint64_t* address, size_t* bytes, LoadedModule* module, const char* name) {
    const auto found = module->variables.find(name);
    if (found == module->variables.end()) return NOT_FOUND;
    if (address) *address = found->second.address;
    if (bytes) *bytes = found->second.bytes;
    return SUCCESS;
}

// Registers and local memory are what ptxas decides, of which nothing is known here: a plausible number, and none.
API int cuFuncGetAttribute(int* value, int attribute, Function* function) {
    switch (attribute) {
    case MAX_THREADS: *value = int(most_threads(*function)); break;
    case STATIC_SHARED: *value = int(function->program->static_shared_bytes); break;
    case REGISTERS: *value = 32; break;
    case PTX_VERSION:
    case BINARY_VERSION: *value = settings().capability; break;
    case MAX_DYNAMIC_SHARED: *value = int(function->most_dynamic_bytes()); break;
    case PREFERRED_CARVEOUT: *value = -1; break;
    default: *value = 0;
    }
    return SUCCESS;
}

API int cuFuncSetAttribute(Function* function, int attribute, int value) {
    LOG_CALL("kernel=%s attribute=%d value=%d", function->program->name.c_str(), attribute, value);
    if (attribute != MAX_DYNAMIC_SHARED) return SUCCESS;
    if (value < 0 || value + int(function->program->static_shared_bytes) > shared_bytes_on_request())
        return INVALID_VALUE;
    function->dynamic_bytes = value;
    return SUCCESS;
}

API int cuFuncSetCacheConfig(Function*, int) { return SUCCESS; }

API int cuFuncGetModule(LoadedModule** module, Function* function) {
    *module = function->module;
    return SUCCESS;
}

// Occupancy is what registers and shared memory allow on a real device. Here threads alone count.
API int cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, Function*, int threads, size_t) {
    *blocks = threads > 0 ? std::min(32, std::max(1, 2048 / threads)) : 0;
    return SUCCESS;
}

API int cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks, Function* function, int threads, size_t bytes,
                                                             unsigned) {
    return cuOccupancyMaxActiveBlocksPerMultiprocessor(blocks, function, threads, bytes);
}

API int cuOccupancyMaxPotentialBlockSize(int* grid, int* threads, Function* function, void*, size_t, int limit) {
    *threads = int(most_threads(*function));
    if (limit) *threads = std::min(*threads, limit);
    *grid = 8;
    return SUCCESS;
}

API int cuOccupancyAvailableDynamicSMemPerBlock(size_t* bytes, Function* function, int, int) {
    *bytes = SHARED_BYTES - function->program->static_shared_bytes;
    return SUCCESS;
}
