// Modules: PTX that has been translated and compiled for the host.
#pragma once
#include "../kernel/contract.h"
#include <map>
#include <memory>
#include <string>

namespace gpu {

struct Context;
struct LoadedModule;

struct Function {
    const Kernel* kernel;
    LoadedModule* module;
    // What cuFuncSetAttribute has allowed; 0: nothing.
    int dynamic_bytes = 0;

    // How much dynamic shared memory a launch may ask for.
    uint32_t most_dynamic_bytes() const;
};

struct LoadedModule {
    const Module* module;
    Context* context;
    std::map<std::string, std::unique_ptr<Function>> functions;
};

// Returns a CUDA error. The reason goes to standard error.
int load(LoadedModule** module, const std::string& ptx, Context&);
void unload(LoadedModule&);

}  // namespace gpu
