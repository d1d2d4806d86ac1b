#include "module.h"
#include "../machine/decoder.h"
#include "context.h"
#include "device.h"
#include "errors.h"
#include "memory.h"
#include <cstring>

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

// The bytes of a variable's initial values.
void set_values(const ptx::Variable& variable, uint8_t* memory) {
    const uint32_t bytes = ptx::bytes_of(variable.type);
    for (size_t i = 0; i < variable.values.size(); ++i) {
        const std::string& text = variable.values[i];
        char* end = nullptr;
        const bool is_float = text.size() > 2 && text[0] == '0' && strchr("fFdD", text[1]);
        const uint64_t value = is_float              ? strtoull(text.c_str() + 2, &end, 16)
                             : text.starts_with('-') ? 0 - strtoull(text.c_str() + 1, &end, 0)
                                                     : strtoull(text.c_str(), &end, 0);
        if (*end && *end != 'U') throw ptx::Unsupported("the initial value " + text, variable.line);
        memcpy(memory + i * bytes, &value, bytes);
    }
}

void decode_all(LoadedModule& loaded, const std::string& text) {
    constexpr size_t ALIGNMENT = 256;
    const ptx::Module module = ptx::parse(text);
    Symbols symbols;
    uint32_t shared_bytes = 0;
    for (const auto& variable : module.variables) {
        if (variable.space == "shared") {
            // Sized by the launch: behind the static ones of the kernel.
            symbols[variable.name] = UINT64_MAX;
            if (variable.sized_by_launch) continue;
            shared_bytes = (shared_bytes + variable.alignment - 1) / variable.alignment * variable.alignment;
            symbols[variable.name] = shared_bytes;
            shared_bytes += variable.bytes();
            continue;
        }
        auto memory = std::make_unique<uint8_t[]>(variable.bytes() + ALIGNMENT);
        const uint64_t address = (uint64_t(memory.get()) + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
        set_values(variable, (uint8_t*)address);
        adopt({Allocation::Kind::Variable, address, variable.bytes(), loaded.context->device});
        symbols[variable.name] = address;
        loaded.variables[variable.name] = {std::move(memory), address, variable.bytes()};
    }
    for (const auto& function : module.functions)
        if (function.is_kernel) loaded.programs.push_back(decode(module, function, symbols, shared_bytes));
}

}  // namespace

uint32_t Function::most_dynamic_bytes() const {
    return dynamic_bytes ? uint32_t(dynamic_bytes) : SHARED_BYTES - program->static_shared_bytes;
}

int load(std::unique_ptr<LoadedModule>& loaded, const std::string& ptx, const Context& context) {
    if (int error = would_be_taken(ptx)) return error;
    loaded = std::make_unique<LoadedModule>(LoadedModule{&context});
    try {
        decode_all(*loaded, ptx);
    } catch (const ptx::Unsupported& error) {
        complain("PTX line %u cannot be executed: %s", error.line, error.what());
        unload(*loaded);
        return INVALID_PTX;
    }
    return SUCCESS;
}

void unload(LoadedModule& loaded) {
    for (const auto& [name, variable] : loaded.variables) disown(variable.address, Allocation::Kind::Variable);
}

}  // namespace gpu
