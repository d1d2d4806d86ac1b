#include "module.h"
#include "block.h"
#include "compiler.h"
#include "context.h"
#include "device.h"
#include "errors.h"
#include "memory.h"
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <filesystem>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gpu {
namespace {

// The CUDA version whose drivers first took a version of PTX, both as 10 · major + minor.
int least_driver_for(int ptx) {
    if (ptx >= 90) return 130 + ptx - 90;
    if (ptx >= 86) return 127 + ptx - 86;      // 8.6 came with CUDA 12.7
    if (ptx >= 80) return 120 + ptx - 80;
    if (ptx >= 70) return 110 + ptx - 70;
    return 0;
}

// Whether the device and the driver that we pretend to be would take it.
int would_be_taken(const std::string& ptx) {
    const size_t version = ptx.find(".version "), target = ptx.find(".target sm_");
    if (version == std::string::npos || target == std::string::npos) {
        complain("a module that is not PTX: nothing else can be emulated");
        return INVALID_IMAGE;
    }
    int major = 0, minor = 0;
    sscanf(ptx.c_str() + version, ".version %d.%d", &major, &minor);
    const int driver_major = settings().driver_version / 1000, driver_minor = settings().driver_version % 1000 / 10;
    if (least_driver_for(10 * major + minor) > 10 * driver_major + driver_minor) {
        complain("PTX %d.%d, which a driver of CUDA %d.%d does not know", major, minor, driver_major, driver_minor);
        return UNSUPPORTED_PTX_VERSION;
    }
    const int capability = atoi(ptx.c_str() + target + strlen(".target sm_"));
    if (capability > settings().capability) {
        complain("PTX for sm_%d, the device is sm_%d", capability, settings().capability);
        return NO_BINARY_FOR_GPU;
    }
    return SUCCESS;
}

// A copy of its own for each load, so that two devices do not share the variables of a module.
void* open_copy(const std::string& library) {
    const int from = open(library.c_str(), O_RDONLY | O_CLOEXEC);
    const int copy = memfd_create("module", MFD_CLOEXEC);
    struct stat status = {};
    if (from < 0 || copy < 0 || fstat(from, &status)) return nullptr;
    for (off_t at = 0; at < status.st_size;)
        if (sendfile(copy, from, &at, size_t(status.st_size - at)) <= 0) return nullptr;
    close(from);
    return dlopen(("/proc/self/fd/" + std::to_string(copy)).c_str(), RTLD_NOW | RTLD_LOCAL);
}

}  // namespace

uint32_t Function::most_dynamic_bytes() const {
    return dynamic_bytes ? uint32_t(dynamic_bytes) : SHARED_BYTES - kernel->static_shared_bytes;
}

int load(LoadedModule** loaded, const std::string& ptx, Context& context) {
    if (int error = would_be_taken(ptx)) return error;
    const std::string library = compile(ptx);
    if (library.empty()) return INVALID_PTX;
    void* handle = open_copy(library);
    const auto entry = handle ? (ModuleEntry)dlsym(handle, "emulated_module") : nullptr;
    const Module* module = entry ? entry(&SERVICES) : nullptr;
    if (!module || module->contract != CONTRACT) {
        complain("%s cannot be loaded: %s", library.c_str(), entry ? "it is of another version" : dlerror());
        return INVALID_IMAGE;
    }
    for (uint32_t i = 0; i < module->variable_count; ++i)
        adopt({Allocation::Kind::Variable, uint64_t(module->variables[i].address), module->variables[i].bytes, context.device});
    *loaded = new LoadedModule{module, &context, {}};
    return SUCCESS;
}

// Its code stays in memory: a launch that has not been executed may need it.
void unload(LoadedModule& loaded) {
    for (uint32_t i = 0; i < loaded.module->variable_count; ++i)
        disown(uint64_t(loaded.module->variables[i].address), Allocation::Kind::Variable);
}

}  // namespace gpu
